import Synchronization

/// The sessions that clients have ended before their time: their ids are good no more, in any instance.
///
/// Bounded: ids run out by themselves, and where there are too many, the caller who has ended most pays: of that caller's sessions, all that
/// run out as early as those that are dropped count as ended. Nobody else's do.
package final class EndedSessions: Sendable {
    /// One session, or all of its caller's that run out no later.
    package struct Entry: Hashable, Sendable {
        /// The session's key; nil for all of them.
        package var key: String?
        /// Whose it is, as a digest.
        package var caller: String
        /// When its id runs out, in seconds since 1970.
        package var expires: Int

        package init(key: String?, of caller: String, expires: Int) {
            self.key = key
            self.caller = caller
            self.expires = expires
        }
    }

    fileprivate struct State {
        /// By caller, then by the session's key.
        var expiries: [String: [String: Int]] = [:]
        var count = 0
        /// By caller: ids that run out no later than this are ended, all of them.
        var floors: [String: Int] = [:]
        /// Those that would be good again after a restart, since they could not be kept yet.
        var unkept: Set<Entry> = []
    }

    private let countMax: Int
    private let keep: @Sendable (Entry) async -> Bool
    private let state = Mutex(State())

    /// `keep` returns whether the entry will outlive this process, once that is certain.
    package init(countMax: Int = 100_000, keep: @escaping @Sendable (Entry) async -> Bool = { _ in true }) {
        self.countMax = countMax
        self.keep = keep
    }

    func contains(_ session: Session) -> Bool {
        state.withLock { state in
            guard state.count > 0 || !state.floors.isEmpty else { return false }
            let caller = session.callerDigest
            return state.expiries[caller]?[session.key] != nil || session.expires <= state.floors[caller] ?? 0
        }
    }

    /// Whether its end has not outlived this process yet, so that its client may ask for it again.
    func isUnkept(_ session: Session) -> Bool { state.withLock { $0.unkept.contains(session.entry) } }

    /// Ends it here at once; returns whether that will outlive this process, once that is certain.
    func end(_ session: Session, now: Int) async -> Bool {
        let entry = session.entry
        take([entry], now: now)
        state.withLock { state in if state.unkept.count < countMax { state.unkept.insert(entry) } }
        guard await keep(entry) else { return false }
        wereKept([entry])
        return true
    }

    /// Those whose end will not outlive this process as things are.
    package func unkept(now: Int) -> [Entry] {
        state.withLock { state in
            state.unkept = state.unkept.filter { $0.expires > now }
            return Array(state.unkept)
        }
    }

    package func wereKept(_ entries: [Entry]) { state.withLock { $0.unkept.subtract(entries) } }

    /// Takes over what was kept, by this process or another.
    package func take(_ entries: some Sequence<Entry>, now: Int) {
        state.withLock { state in
            for entry in entries where entry.expires > now { state.insert(entry) }
            if state.count > countMax { state.dropExpired(now) }
            while state.count > max(countMax, 0) { state.dropHalf() }
        }
    }

    /// What is worth keeping.
    package func entries(now: Int) -> [Entry] {
        state.withLock { state in
            state.dropExpired(now)
            let floors = state.floors.map { Entry(key: nil, of: $0.key, expires: $0.value) }
            return floors + state.expiries.flatMap { caller, sessions in sessions.map { Entry(key: $0.key, of: caller, expires: $0.value) } }
        }
    }
}

extension EndedSessions.State {
    mutating func insert(_ entry: EndedSessions.Entry) {
        if let key = entry.key {
            if expiries[entry.caller, default: [:]].updateValue(entry.expires, forKey: key) == nil { count += 1 }
        } else {
            floors[entry.caller] = max(floors[entry.caller] ?? 0, entry.expires)
        }
    }

    mutating func dropExpired(_ now: Int) {
        floors = floors.filter { $0.value > now }
        expiries = expiries.compactMapValues { sessions in
            let left = sessions.filter { $0.value > now }
            return left.isEmpty ? nil : left
        }
        count = expiries.values.reduce(0) { $0 + $1.count }
    }

    /// Forgets half of the sessions of the caller who has most of them, those that run out first.
    mutating func dropHalf() {
        guard let (caller, sessions) = expiries.max(by: { $0.value.count < $1.value.count }) else { return }
        let floor = max(floors[caller] ?? 0, sessions.values.sorted()[sessions.count / 2])
        let left = sessions.filter { $0.value > floor }
        floors[caller] = floor
        expiries[caller] = left.isEmpty ? nil : left
        count -= sessions.count - left.count
    }
}

extension Session {
    fileprivate var entry: EndedSessions.Entry { EndedSessions.Entry(key: key, of: callerDigest, expires: expires) }
}
