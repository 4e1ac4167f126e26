import Diagnostics
import JSON
import MCPProtocol
import Network

/// A link whose messages all share one channel in each direction: a child's pipes, or the HTTP+SSE transport.
package final class DuplexLink: UpstreamLink {
    package let peer: UpstreamPeer
    private let channel: any DuplexChannel
    private let pending: PendingCalls

    init(peer: UpstreamPeer, channel: any DuplexChannel, pending: PendingCalls) {
        self.peer = peer
        self.channel = channel
        self.pending = pending
    }

    package func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onNotification: (Message) async -> Void
    ) async throws(UpstreamError) -> Message {
        try await channel.exchange(
            request, era: peer.era, pending: pending, within: limit, cancellation: cancellation, onNotification: onNotification)
    }

    /// Asks a modern upstream to announce its list changes; a legacy one does so unasked (MCP 2026-07-28 basic/patterns/subscriptions).
    func listen() async throws(UpstreamError) {
        guard peer.announcesTools else { return }
        let (id, _) = try pending.open()
        // Its answer comes when the upstream ends, and tells nothing more then.
        pending.close(id)
        try await channel.send(UpstreamRequest.listen.bytes(id: id, era: .modern))
    }

    package func close() async {
        pending.lose("closed")
        await channel.close()
    }
}

/// Carries whole messages, in order.
protocol DuplexChannel: Sendable {
    /// `bytes` is one JSON-RPC message; throws when it can't be handed over.
    func send(_ bytes: [UInt8]) async throws(UpstreamError)
    func close() async
}

extension DuplexChannel {
    func exchange(
        _ request: UpstreamRequest, era: Era, pending: PendingCalls, within limit: CallLimit, cancellation: Cancellation,
        onNotification: (Message) async -> Void
    ) async throws(UpstreamError) -> Message {
        let (id, mailbox) = try pending.open(forClient: request.isForClient)
        cancellation.whenCancelled { _ = mailbox.send(.cancelled) }
        defer {
            cancellation.whenCancelled(nil)
            pending.close(id)
        }
        do {
            try await send(request.bytes(id: id, era: era))
            return try await pending.response(from: mailbox, within: limit, onNotification: onNotification)
        } catch {
            switch error {
            case .timedOut, .cancelled: try? await send(cancelled(id, because: error))
            default: break
            }
            throw error
        }
    }

    private func cancelled(_ id: Int, because error: UpstreamError) -> [UInt8] {
        JSONValue.notification("notifications/cancelled", ["requestId": .number(String(id)), "reason": .string(error.description)])
    }

    /// Answers what an upstream asks outside the protocol that we offered: `ping`, and a refusal for all else.
    func answer(_ request: Message) async {
        guard let id = request.id else { return }
        let reply =
            request.method == .ping
            ? Reply(result: [], id: request.bytes[id.range], era: .legacy)
            : Reply(ProtocolError(.methodNotFound, "Method not found: \(request.methodText)"), id: request.bytes[id.range])
        try? await send(reply.bytes)
    }
}

extension JSONValue {
    /// A JSON-RPC notification.
    package static func notification(_ method: String, _ params: JSONValue? = nil) -> [UInt8] {
        var message: JSONValue = ["jsonrpc": "2.0", "method": .string(method)]
        message["params"] = params
        return message.bytes
    }
}
