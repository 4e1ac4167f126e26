import Diagnostics
import JSON
import MCPProtocol
import Testing

@testable import Network
@testable import Transport

/// An upstream that answers no list before it has been asked for all, or that refuses some.
private final class PatientLink: UpstreamLink {
    let peer: UpstreamPeer
    private let refused: Set<String>
    private let everything = Settlement(of: ListKind.allCases.count)

    init(refusing refused: Set<String> = []) {
        let capabilities: JSONValue = ["tools": [:], "prompts": [:], "resources": [:]]
        peer = UpstreamPeer(revision: .v2025_11_25, transport: "test", capabilities: capabilities, serverInfo: nil, instructions: nil)
        self.refused = refused
    }

    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        everything.note()
        if request.method == "tools/list" { await everything.wait(within: .seconds(60)) }
        if refused.contains(request.method) { throw .timedOut }
        let tool: JSONValue = ["name": "t", "inputSchema": ["type": "object"]]
        let item: JSONValue = ["name": "p", "uri": "x://p", "uriTemplate": "x://{p}"]
        let lists: JSONValue = ["tools": [tool], "prompts": [item], "resources": [item], "resourceTemplates": [item]]
        let answer: JSONValue = ["jsonrpc": "2.0", "id": 1, "result": lists]
        guard let message = try? Message(scanning: answer.bytes) else { throw .violation("the test's own message") }
        return message
    }

    func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream { ResourceStream(heard: [], end: {}) }
    func notify(_ bytes: [UInt8]) async {}
    func close() async {}
}

@Suite struct ListsAtOnceTests {
    @Test func `All lists are asked for at once`() async throws {
        let offer = try await onLoop { _ in try await PatientLink().offer(limits: UpstreamLimits(), log: Log("lists")) }
        #expect(offer.tools.count == 1 && offer.prompts.count == 1 && offer.resources.count == 1 && offer.templates.count == 1)
    }

    @Test func `A list that can't be read is empty, and no other; without its tools an upstream is down`() async throws {
        let offer = try await onLoop { _ in
            try await PatientLink(refusing: ["prompts/list"]).offer(limits: UpstreamLimits(), log: Log("lists"))
        }
        #expect(offer.tools.count == 1 && offer.prompts.isEmpty && offer.resources.count == 1)
        await #expect(throws: UpstreamError.self) {
            try await onLoop { _ in try await PatientLink(refusing: ["tools/list"]).offer(limits: UpstreamLimits(), log: Log("lists")) }
        }
    }

    @Test func `How long lists are good is said by those only whose changes are not announced`() {
        var offer = Offer(capabilities: ["tools": ["listChanged": true], "prompts": [:]])
        #expect(offer.shortestTime == nil)
        offer.hints[.tools] = CacheHint(ttl: 1, isPrivate: false)
        #expect(offer.shortestTime == nil)
        offer.hints[.prompts] = CacheHint(ttl: 7_000, isPrivate: false)
        #expect(offer.shortestTime == .seconds(7))
        offer.hints[.prompts] = CacheHint(ttl: .max, isPrivate: false)
        #expect(offer.shortestTime == .seconds(86_400))
    }
}
