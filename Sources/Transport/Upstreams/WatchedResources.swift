import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// The resources of an upstream that clients watch: each is subscribed to once, however many clients watch it, and no longer than they do.
///
/// Clients say what they want at any time; the upstream's own task makes what is subscribed to follow.
final class WatchedResources: Sendable {
    private struct State {
        /// By URI, how many watch it, and when the first of them came, counted in wishes.
        var wanted: [String: (count: Int, number: Int)] = [:]
        var wishes = 0
        /// Those that the link in use is subscribed to.
        var subscribed: Set<String> = []
        /// Those that the upstream would not let be subscribed to, until they are wanted anew.
        var refused: Set<String> = []
        var waiting: [Mailbox<Bool>] = []
    }

    private let state = Mutex(State())

    var isEmpty: Bool { state.withLock { $0.wanted.isEmpty } }
    var uris: [String] { state.withLock { $0.wanted.keys.sorted() } }

    func add(_ uri: String) {
        state.withLock { state in
            state.wishes += 1
            if state.wanted[uri] == nil { state.refused.remove(uri) }
            state.wanted[uri, default: (0, state.wishes)].count += 1
        }
    }

    func remove(_ uri: String) {
        state.withLock { state in
            guard let wish = state.wanted[uri] else { return }
            state.wanted[uri] = wish.count > 1 ? (wish.count - 1, wish.number) : nil
        }
    }

    /// Whether the upstream is subscribed to it; waits for the answer, at most so long.
    func isSubscribed(to uri: String, within time: Duration) async -> Bool {
        let end = ContinuousClock.now + time
        while true {
            let mailbox = Mailbox<Bool>(capacity: 1)
            let known = state.withLock { state -> Bool? in
                if state.subscribed.contains(uri) { return true }
                if state.refused.contains(uri) { return false }
                state.waiting.append(mailbox)
                return nil
            }
            if let known { return known }
            guard case .element = await mailbox.next(within: max(end - .now, .zero)) else { return false }
        }
    }

    /// The link has another session, or is another one, which is subscribed to nothing.
    func forgetSubscriptions() {
        state.withLock { state in
            state.subscribed = []
            state.refused = []
        }
    }

    /// Makes the link subscribed to what is wanted, and to nothing else.
    func reconcile(over link: any UpstreamLink, limits: UpstreamLimits, log: Log) async {
        let (missing, superfluous) = state.withLock { state in
            let wanted = Set(state.wanted.keys)
            return (wanted.subtracting(state.subscribed).subtracting(state.refused).sorted(), state.subscribed.subtracting(wanted).sorted())
        }
        if !missing.isEmpty || !superfluous.isEmpty {
            if link.peer.capabilities["resources"]?["subscribe"] != true {
                state.withLock { $0.refused.formUnion(missing) }
            } else if link.peer.era == .modern {
                await relisten(over: link, missing, superfluous, log)
            } else {
                for uri in superfluous {
                    _ = await ask("resources/unsubscribe", uri, over: link, limits)
                    state.withLock { _ = $0.subscribed.remove(uri) }
                }
                while let uri = nextWish() {
                    let isTaken = await ask("resources/subscribe", uri, over: link, limits)
                    note([uri], isTaken: isTaken, log)
                    wake()
                }
            }
        }
        wake()
    }

    /// The wish to be granted next: the latest that somebody still has, so that who wants a thousand does not keep out who wants one.
    private func nextWish() -> String? {
        state.withLock { state in
            let open = state.wanted.filter { !state.subscribed.contains($0.key) && !state.refused.contains($0.key) }
            return open.max { $0.value.number < $1.value.number }?.key
        }
    }

    private func wake() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for mailbox in waiting { _ = mailbox.send(true) }
    }

    /// One stream for all of them, which takes the place of the last.
    private func relisten(over link: any UpstreamLink, _ missing: [String], _ superfluous: [String], _ log: Log) async {
        let kept = state.withLock { $0.subscribed.subtracting(superfluous) }
        do throws(UpstreamError) {
            try await link.listen(to: (kept.union(missing)).sorted())
            state.withLock { $0.subscribed = kept }
            note(missing, isTaken: true, log)
        } catch {
            note(missing, isTaken: false, log)
        }
    }

    private func note(_ uris: [String], isTaken: Bool, _ log: Log) {
        state.withLock { state in
            if isTaken { state.subscribed.formUnion(uris) } else { state.refused.formUnion(uris) }
        }
        if !isTaken { log.warning("lets nobody subscribe to \(uris.joined(separator: ", "))") }
    }

    /// Legacy upstreams are asked resource by resource (MCP 2025-11-25 server/resources, "Subscriptions").
    private func ask(_ method: String, _ uri: String, over link: any UpstreamLink, _ limits: UpstreamLimits) async -> Bool {
        var members: [UInt8] = []
        members.append("\"uri\":")
        members.append(jsonString: uri)
        let limit = CallLimit(idle: limits.probeTime, total: limits.probeTime)
        let answer = try? await link.exchange(
            UpstreamRequest(method, members: members), within: limit, cancellation: Cancellation(), onNotification: { _ in })
        return answer?.result != nil
    }
}
