import Synchronization

/// The resources that clients with sessions watch, by the session's key: they outlast the streams on which the sessions hear of them.
final class SessionWatches: Sendable {
    private static let sessionsMax = 10_000
    /// A session that has no stream for so long is taken for gone.
    private static let idleTime = Duration.seconds(900)

    private struct Entry {
        let watches = ResourceWatches()
        var streams = 0
        var used = ContinuousClock.now
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// Those of that session, for a stream that begins; `leave` ends it.
    func enter(_ session: String) -> ResourceWatches {
        let (watches, gone) = entries.withLock { entries in
            let gone = Self.sweep(&entries)
            entries[session, default: Entry()].streams += 1
            return (entries[session]?.watches ?? ResourceWatches(), gone)
        }
        withExtendedLifetime(gone) {}
        return watches
    }

    func leave(_ session: String) {
        entries.withLock { entries in
            entries[session]?.streams -= 1
            entries[session]?.used = .now
        }
    }

    /// Those of that session, to be changed.
    func watches(of session: String) -> ResourceWatches {
        let (watches, gone) = entries.withLock { entries in
            let gone = Self.sweep(&entries)
            entries[session, default: Entry()].used = .now
            return (entries[session]?.watches ?? ResourceWatches(), gone)
        }
        withExtendedLifetime(gone) {}
        return watches
    }

    /// The session has ended.
    func end(_ session: String) {
        let gone = entries.withLock { $0.removeValue(forKey: session) }
        withExtendedLifetime(gone) {}
    }

    /// Makes room where there is little; what is taken out is handed back, so that it ends outside of the lock.
    private static func sweep(_ entries: inout [String: Entry]) -> [Entry] {
        guard entries.count >= sessionsMax / 2 else { return [] }
        let now = ContinuousClock.now
        let isFull = entries.count >= sessionsMax
        let gone = entries.filter { $0.value.streams <= 0 && (isFull || now - $0.value.used > idleTime) }
        for key in gone.keys { entries[key] = nil }
        return Array(gone.values)
    }
}
