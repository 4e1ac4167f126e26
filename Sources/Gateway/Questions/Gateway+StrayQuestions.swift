import Auth
import MCPProtocol
import Network
import Transport

/// What legacy upstreams ask outside of calls, and what clients say of themselves there.
extension Gateway {
    /// How long an upstream that asks as soon as it is opened waits for the client that it was opened for to be there.
    private static let arrivalTime = Duration.seconds(5)

    /// Has it answered by the client that it must be meant for: the only one there is whose calls go through that upstream's instance.
    func ask(_ asked: AskedQuestion, of upstream: Upstream) {
        let method = asked.question.method.rawValue
        guard upstream.key.abilities.isSuperset(of: ClientAbilities(neededFor: asked.question)) else {
            return asked.reply(.refusal(.cannotBeAsked(method)))
        }
        EventLoop.current?.task { [self] in
            guard let client = await client(of: upstream) else { return asked.reply(.refusal(.nobodyToAsk(method))) }
            let over = Mailbox<Bool>(capacity: 1)
            let withdraw = client.ask(asked.question.worded(by: upstream.name)) { answer in
                asked.reply(answer)
                over.send(true)
            }
            guard case .timedOut = await over.next(within: settings.limits.answerTime) else { return }
            withdraw()
            asked.reply(.refusal(ProtocolError(.internalError, "nobody answered in time")))
        }
    }

    /// Tells the legacy upstreams that this client's calls go to, and that nobody else uses (MCP 2025-11-25 client/roots, "Root List Changes").
    package func rootsChanged(for call: Call) {
        let snapshot = snapshot
        guard call.abilities.contains(.rootsChanges), let exposure = snapshot.exposures[call.server] else { return }
        for name in exposure.definition.upstreams {
            snapshot.upstreams[name]?.existing(for: call.caller, call.abilities, in: call.session)?.rootsChanged(for: call.origin)
        }
    }

    /// nil where there is none, none comes, or there are several.
    private func client(of upstream: Upstream) async -> ChangeFeed.Listener? {
        let end = ContinuousClock.now + Self.arrivalTime
        while true {
            let snapshot = snapshot
            let arrival = changes.arrival()
            let found = changes.clients { listener, client in
                snapshot.exposures[listener.server]?.definition.upstreams.contains(upstream.name) == true
                    && snapshot.upstreams[upstream.name]?.existing(for: listener.caller, client.abilities, in: client.session) === upstream
            }
            if let only = found.first {
                let origin = UpstreamRequest.Origin(caller: only.caller.identity.key, session: nil)
                return found.count == 1 && upstream.serves(only: origin) ? only : nil
            }
            guard case .element = await arrival.next(within: max(end - .now, .zero)) else { return nil }
        }
    }
}
