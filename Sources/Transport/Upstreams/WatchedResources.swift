import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// The resources of an upstream that clients watch: each is subscribed to once, however many clients watch it, and no longer than they do.
///
/// Clients say what they want at any time, and what is subscribed to follows, a few requests at once.
final class WatchedResources: Sendable {
    /// Requests to a legacy upstream that are under way at once; a modern one is asked once for many.
    private static let requestsMax = 8

    /// What those who watch a resource are to be told.
    enum News: Sendable {
        case mayHaveChanged(String)
        case lost(String)
    }

    private struct State {
        var plan = WatchPlan()
        var link: (any UpstreamLink)?
        /// Those of the link, where it leads to a modern upstream.
        var streams: ResourceStreams?
        /// Counts the links, and their sessions: what is answered for an earlier one says nothing of this one.
        var generation = 0
        var requests = 0
    }

    private let state = Mutex(State())
    private let loop: EventLoop
    private let limits: UpstreamLimits
    private let log: Log
    private let onNews = Mutex<(@Sendable (News) -> Void)?>(nil)

    init(loop: EventLoop, limits: UpstreamLimits, log: Log) {
        self.loop = loop
        self.limits = limits
        self.log = log
    }

    /// `action` is called on the loop.
    func whenNews(_ action: @escaping @Sendable (News) -> Void) { onNews.withLock { $0 = action } }

    var isEmpty: Bool { state.withLock { $0.plan.isEmpty } }

    /// `isPromised` where the client has been told that it hears of it.
    func add(_ uri: String, for caller: CallerIdentity, isPromised: Bool) {
        state.withLock { $0.plan.add(uri, for: caller, isPromised: isPromised) }
        follow()
    }

    func remove(_ uri: String, for caller: CallerIdentity) {
        state.withLock { $0.plan.remove(uri, for: caller) }
        follow()
    }

    func promise(_ uri: String) { state.withLock { $0.plan.promise(uri) } }

    /// Nil where there is no link to answer it.
    func standing(of uri: String) -> ResourceStanding? {
        state.withLock { state in
            let standing = state.plan.standing(of: uri)
            return standing == .waiting && state.link == nil ? nil : standing
        }
    }

    func tell(_ settlement: Settlement, of uri: String) -> Bool { state.withLock { $0.plan.tell(settlement, of: uri) } }

    /// There is no link for now: who waits for one shall look whether that makes sense.
    func releaseAll() { state.withLock { $0.plan.releaseAll() } }

    /// Goes on over that link, which is subscribed to nothing: another one, or one with another session. Nil while there is none.
    func use(_ link: (any UpstreamLink)?) {
        state.withLock { state in
            state.generation += 1
            state.requests = 0
            state.link = link
            state.streams = link.flatMap { $0.peer.era == .modern ? ResourceStreams(over: $0) : nil }
            state.plan.startOver()
        }
        follow()
    }

    // MARK: - Requests

    /// What one task does, one after the other.
    private struct Work: Sendable {
        let link: any UpstreamLink
        let streams: ResourceStreams?
        let generation: Int
        let steps: [WatchPlan.Step]

        /// How many steps it takes at once.
        var stepsMax: Int { streams == nil ? 1 : ResourceStreams.stepsMax }
    }

    /// Makes the link subscribed to what is wanted, and to nothing else.
    private func follow() {
        while let work = state.withLock({ Self.begin(&$0) }) {
            loop.task { [self] in await perform(work) }
        }
    }

    private static func begin(_ state: inout State) -> Work? {
        guard let link = state.link, state.requests < (state.streams == nil ? requestsMax : 1) else { return nil }
        let steps = state.plan.next(atMost: state.streams == nil ? 1 : ResourceStreams.stepsMax)
        guard !steps.isEmpty else { return nil }
        state.requests += 1
        return Work(link: link, streams: state.streams, generation: state.generation, steps: steps)
    }

    private func perform(_ work: Work) async {
        let canSubscribe = work.link.peer.capabilities["resources"]?["subscribe"] == true
        var steps = work.steps
        while !steps.isEmpty {
            var done = steps.map { (step: $0, isTaken: false) }
            if canSubscribe, let streams = work.streams {
                done = await streams.take(steps)
            } else if canSubscribe {
                for index in done.indices { done[index].isTaken = await ask(done[index].step, over: work.link) }
            }
            steps = note(done, of: work)
        }
    }

    /// Takes note of what became of some steps; the next ones, none where that was all.
    private func note(_ done: [(step: WatchPlan.Step, isTaken: Bool)], of work: Work) -> [WatchPlan.Step] {
        let (next, news) = state.withLock { state -> ([WatchPlan.Step], [News]) in
            guard state.generation == work.generation else { return ([], []) }
            let news = done.compactMap { step, isTaken in News(state.plan.done(step, isTaken: isTaken), of: step) }
            let next = state.plan.next(atMost: work.stepsMax)
            if next.isEmpty { state.requests -= 1 }
            return (next, news)
        }
        logRefusals(done)
        if !news.isEmpty, let tell = onNews.withLock({ $0 }) { for one in news { tell(one) } }
        return next
    }

    private func logRefusals(_ done: [(step: WatchPlan.Step, isTaken: Bool)]) {
        let refused = done.compactMap { step, isTaken in if case .subscribe(let uri, _) = step, !isTaken { uri } else { nil } }
        guard let first = refused.first else { return }
        log.warning("lets nobody subscribe to \(first)\(refused.count > 1 ? " and \(refused.count - 1) more" : "")")
    }

    /// Legacy upstreams are asked resource by resource (MCP 2025-11-25 server/resources, "Subscriptions").
    private func ask(_ step: WatchPlan.Step, over link: any UpstreamLink) async -> Bool {
        let (method, uri) =
            switch step {
            case .subscribe(let uri, _): ("resources/subscribe", uri)
            case .unsubscribe(let uri): ("resources/unsubscribe", uri)
            }
        var members: [UInt8] = []
        members.append("\"uri\":")
        members.append(jsonString: uri)
        let limit = CallLimit(idle: limits.probeTime, total: limits.probeTime)
        let answer = try? await link.exchange(
            UpstreamRequest(method, members: members), within: limit, cancellation: Cancellation(), onNotification: { _ in })
        return answer?.result != nil
    }
}

extension WatchedResources.News {
    fileprivate init?(_ outcome: WatchPlan.Outcome, of step: WatchPlan.Step) {
        guard case .subscribe(let uri, _) = step else { return nil }
        switch outcome {
        case .none: return nil
        case .late: self = .mayHaveChanged(uri)
        case .lost: self = .lost(uri)
        }
    }
}
