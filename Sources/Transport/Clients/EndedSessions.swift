import Synchronization

/// The sessions that clients have ended before their time: their ids are good no more, in any instance.
///
/// Bounded: ids run out by themselves, and where there are too many, all ids that run out as early as those that are dropped count as ended.
package final class EndedSessions: Sendable {
    /// One session, or all that run out no later.
    package struct Entry: Hashable, Sendable {
        /// The session's key; nil for all of them.
        package var key: String?
        /// When its id runs out, in seconds since 1970.
        package var expires: Int

        package init(key: String?, expires: Int) {
            self.key = key
            self.expires = expires
        }
    }

    private struct State {
        var expiries: [String: Int] = [:]
        /// Ids that run out no later than this are ended, all of them.
        var floor = 0
    }

    private let countMax: Int
    private let keep: @Sendable (Entry) async -> Void
    private let state = Mutex(State())

    /// `keep` returns when the entry will outlive this process.
    package init(countMax: Int = 100_000, keep: @escaping @Sendable (Entry) async -> Void = { _ in }) {
        self.countMax = countMax
        self.keep = keep
    }

    func contains(_ session: Session) -> Bool {
        state.withLock { session.expires <= $0.floor || $0.expiries[session.key] != nil }
    }

    /// Ends it here at once; returns when that will outlive this process.
    func end(_ session: Session, now: Int) async {
        let entry = Entry(key: session.key, expires: session.expires)
        take([entry], now: now)
        await keep(entry)
    }

    /// Takes over what was kept, by this process or another.
    package func take(_ entries: some Sequence<Entry>, now: Int) {
        state.withLock { state in
            for entry in entries where entry.expires > now {
                if let key = entry.key { state.expiries[key] = entry.expires } else { state.floor = max(state.floor, entry.expires) }
            }
            guard state.expiries.count > countMax else { return }
            state.expiries = state.expiries.filter { $0.value > now }
            guard state.expiries.count > countMax else { return }
            state.floor = max(state.floor, state.expiries.values.sorted()[state.expiries.count / 2])
            state.expiries = state.expiries.filter { $0.value > state.floor }
        }
    }

    /// What is worth keeping.
    package func entries(now: Int) -> [Entry] {
        state.withLock { state in
            let sessions = state.expiries.filter { $0.value > now }.map { Entry(key: $0.key, expires: $0.value) }
            return state.floor > now ? [Entry(key: nil, expires: state.floor)] + sessions : sessions
        }
    }
}
