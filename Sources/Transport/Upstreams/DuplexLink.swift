import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// A link whose messages all share one channel in each direction: a child's pipes, or the HTTP+SSE transport.
package final class DuplexLink: UpstreamLink {
    package let peer: UpstreamPeer
    private let channel: any DuplexChannel
    private let pending: PendingCalls
    /// How long an upstream may take to say which resources it will tell of.
    private static let acknowledgementTime = Duration.seconds(5)

    init(peer: UpstreamPeer, channel: any DuplexChannel, pending: PendingCalls) {
        self.peer = peer
        self.channel = channel
        self.pending = pending
    }

    package func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        try await channel.exchange(
            request, era: peer.era, pending: pending, within: limit, cancellation: cancellation, onMessage: onMessage)
    }

    /// Asks a modern upstream to announce its list changes; a legacy one does so unasked (MCP 2026-07-28 basic/patterns/subscriptions).
    func listen() async throws(UpstreamError) {
        guard peer.era == .modern, !peer.announcedLists.isEmpty else { return }
        _ = try await subscribe(.listen(for: peer.announcedLists))
    }

    package func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream {
        let (id, mailbox) = try pending.open()
        defer { pending.close(id) }
        try await channel.send(UpstreamRequest.listen(to: resources).bytes(id: id, era: .modern))
        let end: @Sendable () async -> Void = { [channel] in
            try? await channel.send(JSONValue.notification("notifications/cancelled", ["requestId": .number(String(id))]))
        }
        switch await mailbox.next(within: Self.acknowledgementTime) {
        case .element(.message(let message)) where message.method == .acknowledged:
            return ResourceStream(heard: message.agreedResources(of: resources), end: end)
        case .element(.lost(let reason)): throw .broken(reason)
        case .element, .closed: throw .refused("it does not let its resources be subscribed to")
        case .timedOut:
            await end()
            throw .timedOut
        }
    }

    private func subscribe(_ request: UpstreamRequest) async throws(UpstreamError) -> Int {
        let (id, _) = try pending.open()
        // Its answer comes when the upstream ends, and tells nothing more then.
        pending.close(id)
        try await channel.send(request.bytes(id: id, era: .modern))
        return id
    }

    package func notify(_ bytes: [UInt8]) async { try? await channel.send(bytes) }

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
        onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        let (id, mailbox) = try pending.open(request, askedBy: era)
        cancellation.whenCancelled { _ = mailbox.send(.cancelled) }
        defer {
            cancellation.whenCancelled(nil)
            pending.close(id)
        }
        do {
            try await send(request.bytes(id: id, era: era))
            let answer = { @Sendable (bytes: [UInt8]) in
                pending.wasAnswered(by: id)
                try? await send(bytes)
            }
            return try await pending.response(from: mailbox, within: limit, answer: answer, onMessage: onMessage)
        } catch {
            switch error {
            case .timedOut, .cancelled:
                // Before that is sent, which may take a while: what comes meanwhile is other calls'.
                pending.close(id, isCancelled: true)
                try? await send(cancelled(id, because: error))
            default: break
            }
            throw error
        }
    }

    private func cancelled(_ id: Int, because error: UpstreamError) -> [UInt8] {
        JSONValue.notification("notifications/cancelled", ["requestId": .number(String(id)), "reason": .string(error.description)])
    }
}

extension Reply {
    /// To what an upstream asks outside of a call: `ping`, and a refusal for all else.
    init?(toUpstream request: Message, isAmbiguous: Bool, log: Log) {
        guard let id = request.id.map({ request.bytes[$0.range] }) else { return nil }
        switch request.method {
        case .ping: self.init(result: [], id: id, era: .legacy)
        case .elicit where isAmbiguous, .sample where isAmbiguous, .listRoots where isAmbiguous:
            let what = "`\(request.methodText)` can't be told to belong to one of the calls in flight"
            log.warning("\(what); it needs `instances: per-user` or `per-session`, or one call at a time")
            self.init(ProtocolError(.internalError, "\(what): the gateway needs `instances: per-user` or `per-session` for this server"), id: id)
        default: self.init(.cannotBeAsked(request.methodText), id: id)
        }
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
