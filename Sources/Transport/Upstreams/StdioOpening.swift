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
        var probe: (id: Int, mailbox: Mailbox<PendingCalls.Incoming>)?
        defer { if let probe { pending.close(probe.id) } }
        for attempt in 1...2 where era != .legacy {
            if let probe { pending.close(probe.id) }
            let asked = try pending.open()
            probe = asked
            try await channel.send(UpstreamRequest.discover.bytes(id: asked.id, era: .modern))
            let time = era == .modern ? limits.openingTime : limits.probeTime
            let answer: Message
            do throws(UpstreamError) {
                answer = try await pending.response(from: asked.mailbox, within: CallLimit(idle: time, total: time), onMessage: { _ in })
            } catch {
                // Silence means legacy; a process that has ended stays ended.
                guard era == .automatic, case .timedOut = error else { throw error }
                break
            }
            let opening = try Opening(answer, transport: transport)
            if case .modern(let peer) = opening { return peer }
            if case .again = opening, attempt == 1 { continue }
            guard era == .automatic else {
                throw .violation("it does not speak revision \(Revision.latestModern.rawValue): \(excerpt(answer.bytes))")
            }
            break
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
