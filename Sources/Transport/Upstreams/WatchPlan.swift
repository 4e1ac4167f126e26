import Auth

/// Who wants to hear of which of an upstream's resources, what its link is subscribed to, and what is to be asked of it next.
///
/// Callers take turns, so that who wants a thousand does not keep out who wants one; of one caller's wishes the latest comes first.
struct WatchPlan {
    enum Step: Hashable {
        case subscribe(String, for: CallerIdentity)
        /// Nobody wants it any more.
        case unsubscribe(String)
    }

    /// What an answer means to those who watch.
    enum Outcome: Equatable {
        case none
        /// They count on hearing of it, and may have missed something.
        case late
        /// They count on hearing of it, and won't.
        case lost
    }

    private struct Wish {
        var watchers: [CallerIdentity: Int] = [:]
        /// Somebody was told that they hear of it.
        var isPromised = false
        var settlements: [Settlement] = []
    }

    /// Whose turn it is.
    private enum Turn: Hashable {
        case caller(CallerIdentity)
        case nobody
    }

    /// How long it is not asked again for what it has refused.
    static let refusalTime = Duration.seconds(60)
    private static let refusalsMax = 1_000

    private var wishes: [String: Wish] = [:]
    private var heard: Set<String> = []
    private var asked: Set<String> = []
    private var refused: [String: ContinuousClock.Instant] = [:]
    private var turns: [Turn] = []
    private var queues: [Turn: WatchQueue] = [:]

    var isEmpty: Bool { wishes.isEmpty }

    // MARK: - Wishes

    mutating func add(_ uri: String, for caller: CallerIdentity, isPromised: Bool = false, at now: ContinuousClock.Instant = .now) {
        if let until = refused[uri], until <= now { refused[uri] = nil }
        wishes[uri, default: Wish()].watchers[caller, default: 0] += 1
        if isPromised { wishes[uri]?.isPromised = true }
        if isOpen(uri) { enqueue(uri, .caller(caller)) }
    }

    mutating func remove(_ uri: String, for caller: CallerIdentity) {
        guard var wish = wishes[uri], let count = wish.watchers[caller] else { return }
        wish.watchers[caller] = count > 1 ? count - 1 : nil
        wishes[uri] = wish.watchers.isEmpty ? nil : wish
        guard wish.watchers.isEmpty else { return }
        if heard.contains(uri) { enqueue(uri, .nobody) }
        for settlement in wish.settlements { settlement.note() }
    }

    func standing(of uri: String) -> ResourceStanding {
        heard.contains(uri) ? .heard : refused[uri] != nil ? .refused : .waiting
    }

    /// Somebody is told that they hear of it.
    mutating func promise(_ uri: String) { wishes[uri]?.isPromised = true }

    /// `settlement` is told when that is settled; false where it is already.
    mutating func tell(_ settlement: Settlement, of uri: String) -> Bool {
        guard standing(of: uri) == .waiting, wishes[uri] != nil else { return false }
        wishes[uri]?.settlements.append(settlement)
        return true
    }

    /// Whoever waits shall look for themselves.
    mutating func releaseAll() {
        for uri in Array(wishes.keys) { release(uri) }
    }

    private mutating func release(_ uri: String) {
        guard let settlements = wishes[uri]?.settlements, !settlements.isEmpty else { return }
        wishes[uri]?.settlements = []
        for settlement in settlements { settlement.note() }
    }

    // MARK: - Steps

    /// What to do next, to be reported by `done`; nil where all is as it should be or under way.
    mutating func next() -> Step? {
        while let turn = turns.first {
            turns.removeFirst()
            while let uri = queues[turn]?.pop() {
                guard isDue(uri, turn) else { continue }
                turns.append(turn)
                asked.insert(uri)
                if case .caller(let caller) = turn { return .subscribe(uri, for: caller) }
                return .unsubscribe(uri)
            }
            queues[turn] = nil
        }
        return nil
    }

    mutating func next(atMost count: Int) -> [Step] {
        var steps: [Step] = []
        while steps.count < count, let step = next() { steps.append(step) }
        return steps
    }

    /// The upstream has answered, or failed to.
    mutating func done(_ step: Step, isTaken: Bool, at now: ContinuousClock.Instant = .now) -> Outcome {
        switch step {
        case .unsubscribe(let uri):
            asked.remove(uri)
            heard.remove(uri)
            requeue(uri)
            return .none
        case .subscribe(let uri, _):
            asked.remove(uri)
            defer { release(uri) }
            guard isTaken else {
                refuse(uri, at: now)
                defer { wishes[uri]?.isPromised = false }
                return wishes[uri]?.isPromised == true ? .lost : .none
            }
            heard.insert(uri)
            guard let wish = wishes[uri] else {
                enqueue(uri, .nobody)
                return .none
            }
            wishes[uri]?.isPromised = true
            return wish.isPromised ? .late : .none
        }
    }

    /// The link is another one, or has another session, which is subscribed to nothing.
    mutating func startOver() {
        heard = []
        asked = []
        refused = [:]
        turns = []
        queues = [:]
        for uri in wishes.keys.sorted() { requeue(uri) }
    }

    private mutating func refuse(_ uri: String, at now: ContinuousClock.Instant) {
        if refused.count >= Self.refusalsMax { refused = refused.filter { $0.value > now || wishes[$0.key] != nil } }
        if refused.count >= Self.refusalsMax { refused = refused.filter { wishes[$0.key] != nil } }
        refused[uri] = now + Self.refusalTime
    }

    private func isOpen(_ uri: String) -> Bool { !heard.contains(uri) && !asked.contains(uri) && refused[uri] == nil }

    private func isDue(_ uri: String, _ turn: Turn) -> Bool {
        switch turn {
        case .caller(let caller): isOpen(uri) && wishes[uri]?.watchers[caller] != nil
        case .nobody: heard.contains(uri) && !asked.contains(uri) && wishes[uri] == nil
        }
    }

    private mutating func requeue(_ uri: String) {
        guard isOpen(uri) else { return }
        for caller in wishes[uri]?.watchers.keys ?? [:].keys { enqueue(uri, .caller(caller)) }
    }

    private mutating func enqueue(_ uri: String, _ turn: Turn) {
        if queues[turn] == nil {
            queues[turn] = WatchQueue()
            turns.append(turn)
        }
        queues[turn]?.push(uri)
        if queues[turn]?.isCrowded == true {
            var queue = queues.removeValue(forKey: turn) ?? WatchQueue()
            queue.keep { isDue($0, turn) }
            queues[turn] = queue
        }
    }
}

/// One caller's wishes, the latest first; those that are no longer due lie there until they come up, or until there are too many.
private struct WatchQueue {
    private static let crowd = 64
    private var uris: [String] = []
    private var countMax = Self.crowd

    var isCrowded: Bool { uris.count > countMax }

    mutating func push(_ uri: String) { uris.append(uri) }
    mutating func pop() -> String? { uris.popLast() }

    mutating func keep(_ isDue: (String) -> Bool) {
        var seen: Set<String> = []
        uris = uris.reversed().filter { isDue($0) && seen.insert($0).inserted }.reversed()
        countMax = max(Self.crowd, uris.count * 2)
    }
}
