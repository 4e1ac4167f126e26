import JSON
import MCPProtocol
import Testing

@testable import Network
@testable import Transport

@Suite struct DuplexSubscriptionTests {
    private struct Sent: DuplexChannel {
        let messages = Mailbox<[UInt8]>(capacity: 16)

        func send(_ bytes: [UInt8]) async throws(UpstreamError) { _ = messages.send(bytes) }
        func close() async {}
    }

    /// What comes of asking for two resources, where the upstream says that.
    private func heard(_ answer: @escaping @Sendable (_ id: Int) -> String) async throws -> Set<String>? {
        try await onLoop { loop in
            let (pending, channel) = (PendingCalls(), Sent())
            let peer = UpstreamPeer(revision: .latestModern, transport: "test", capabilities: [:], serverInfo: nil, instructions: nil)
            let link = DuplexLink(peer: peer, channel: channel, pending: pending)
            let outcome = Mailbox<Set<String>?>(capacity: 1)
            loop.task { _ = outcome.send(try? await link.listen(to: ["x://a", "x://b"]).heard) }
            let request = try JSONValue(parsing: try #require(await channel.messages.next()))
            let id = try #require(request["id"]?.integer)
            #expect(pending.route(try message(answer(id))))
            return try #require(await outcome.next())
        }
    }

    private static func acknowledgement(_ id: Int, _ filter: String) -> String {
        let tag = #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}"#
        return #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{\#(tag),"notifications":\#(filter)}}"#
    }

    @Test func `What a modern upstream acknowledges on a shared channel is heard of, and nothing else`() async throws {
        #expect(try await heard { Self.acknowledgement($0, #"{"resourceSubscriptions":["x://b","x://c"]}"#) } == ["x://b"])
        #expect(try await heard { Self.acknowledgement($0, "{}") } == [])
    }

    @Test func `A subscription that is refused is heard of nowhere`() async throws {
        #expect(try await heard { #"{"jsonrpc":"2.0","id":\#($0),"error":{"code":-32601,"message":"Method not found"}}"# } == nil)
    }
}
