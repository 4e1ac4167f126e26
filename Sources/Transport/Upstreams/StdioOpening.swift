import Auth
import Diagnostics
import MCPProtocol
import Network

/// Opens links to stdio upstreams.
enum StdioOpening {
    /// Starts the child and finds out its era as the specification says: probe with `server/discover`, fall back to `initialize` on any
    /// other error or on silence (MCP 2026-07-28 basic/transports/stdio, "Backward Compatibility").
    static func open(
        _ command: ChildCommand, era: UpstreamDefinition.Era, declaring abilities: ClientAbilities, on loop: EventLoop, limits: UpstreamLimits,
        redaction: Redaction, cancellation: Cancellation, log: Log,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) async throws(UpstreamError) -> DuplexLink {
        let pending = PendingCalls()
        let channel = try ChildChannel.start(command, on: loop, limits: limits, pending: pending, redaction: redaction, log: log, onEvent: onEvent)
        cancellation.whenCancelled { pending.lose("the gateway stops it") }
        defer { cancellation.whenCancelled(nil) }
        do throws(UpstreamError) {
            let peer = try await negotiate(channel, pending, era: era, declaring: abilities, transport: "stdio", limits: limits)
            let link = DuplexLink(peer: peer, channel: channel, pending: pending)
            try await link.listen()
            return link
        } catch {
            await channel.close()
            throw error
        }
    }

    /// The same for any duplex channel.
    static func negotiate(
        _ channel: any DuplexChannel, _ pending: PendingCalls, era: UpstreamDefinition.Era, declaring abilities: ClientAbilities,
        transport: String, limits: UpstreamLimits
    ) async throws(UpstreamError) -> UpstreamPeer {
        let probe = era == .legacy ? nil : try pending.open()
        defer { if let probe { pending.close(probe.id) } }
        if let probe {
            try await channel.send(UpstreamRequest.discover.bytes(id: probe.id, era: .modern))
            let time = era == .modern ? limits.openingTime : limits.probeTime
            do throws(UpstreamError) {
                let answer = try await pending.response(from: probe.mailbox, within: CallLimit(idle: time, total: time), onMessage: { _ in })
                if let peer = answer.resultValue.flatMap({ UpstreamPeer(discovered: $0, transport: transport) }) { return peer }
                guard era == .automatic else {
                    throw UpstreamError.violation("it does not speak revision \(Revision.latestModern.rawValue): \(excerpt(answer.bytes))")
                }
            } catch {
                // Silence means legacy; a process that has ended stays ended.
                guard era == .automatic, case .timedOut = error else { throw error }
            }
        }
        let answer: Message
        do throws(UpstreamError) {
            answer = try await ask(.initialize(declaring: abilities), channel, pending, era: .legacy, within: limits.openingTime)
        } catch {
            guard case .timedOut = error, let noise = pending.lastNoise else { throw error }
            throw .violation("no answer in time; \(noise)")
        }
        guard let result = answer.resultValue else {
            // It was silent only because it starts slowly, and by now has answered both.
            if let probe, case .element(.message(let late)) = await probe.mailbox.next(within: .zero),
                let peer = late.resultValue.flatMap({ UpstreamPeer(discovered: $0, transport: transport) })
            {
                return peer
            }
            throw .violation("it refused `initialize`: \(excerpt(answer.bytes))")
        }
        let peer = try UpstreamPeer(initialized: result, transport: transport)
        try await channel.send(HandshakeNotification.initialized)
        return peer
    }

    private static func ask(
        _ request: UpstreamRequest, _ channel: any DuplexChannel, _ pending: PendingCalls, era: Era, within time: Duration
    ) async throws(UpstreamError) -> Message {
        try await channel.exchange(
            request, era: era, pending: pending, within: CallLimit(idle: time, total: time), cancellation: Cancellation(), onMessage: { _ in })
    }
}

enum HandshakeNotification {
    static let initialized = Array(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.utf8)
}
