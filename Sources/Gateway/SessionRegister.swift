import Diagnostics
import Dispatch
import Network
import Synchronization
import Transport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps what sessions have ended in the state folder, and follows what other instances put there; away from the loops.
package final class SessionRegister: Sendable {
    private static let interval = DispatchTimeInterval.milliseconds(500)
    private let queue = DispatchQueue(label: "sessions")
    private let file: Mutex<StateLog<EndedSessions.Entry>>
    /// How long a client waits for the disk.
    private static let keepingTime = Duration.seconds(5)
    private static let waitingMax = 10_000
    private let waiting = Mutex<[(entry: EndedSessions.Entry, done: Mailbox<Bool>)]>([])
    private let hasFailed = Atomic<Bool>(false)
    private let log = Log("state")

    package init(stateFolder: String) { file = Mutex(StateLog(path: stateFolder + "/ended-sessions")) }

    /// The sessions that are known to have ended, kept up to date for as long as it is used; blocks until the file has been read.
    package func sessions() -> EndedSessions {
        let sessions = EndedSessions { [self] entry in await keep(entry) }
        refresh(sessions)
        follow(sessions)
        return sessions
    }

    /// Whatever waits at once is written at once; whether it is on the disk.
    private func keep(_ entry: EndedSessions.Entry) async -> Bool {
        let done = Mailbox<Bool>(capacity: 1)
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.waitingMax else { return false }
            waiting.append((entry, done))
            return true
        }
        guard isTaken else { return false }
        queue.async { self.writeWaiting() }
        if case .element(true) = await done.next(within: Self.keepingTime) { return true }
        return false
    }

    private func writeWaiting() {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        guard !waiting.isEmpty else { return }
        let isKept = attempt { (file) throws(StateError) in try file.append(waiting.map(\.entry)) }
        for (_, done) in waiting { done.send(isKept) }
    }

    private func follow(_ sessions: EndedSessions) {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak sessions, self] in
            guard let sessions else { return }
            refresh(sessions)
            follow(sessions)
        }
    }

    private func refresh(_ sessions: EndedSessions) {
        attempt { (file) throws(StateError) in
            let now = time(nil)
            let news = try file.news()
            if !news.isEmpty { sessions.take(news, now: now) }
            try file.compact { news in
                sessions.take(news, now: now)
                return sessions.entries(now: now)
            }
        }
        let unkept = sessions.unkept(now: time(nil))
        guard !unkept.isEmpty, attempt({ (file) throws(StateError) in try file.append(unkept) }) else { return }
        sessions.wereKept(unkept)
    }

    /// Whether it went well; the log tells a failure once, until it works again.
    @discardableResult
    private func attempt(_ work: (inout StateLog<EndedSessions.Entry>) throws(StateError) -> Void) -> Bool {
        do throws(StateError) {
            try file.withLock { (file) throws(StateError) in try work(&file) }
            hasFailed.store(false, ordering: .relaxed)
            return true
        } catch {
            if !hasFailed.exchange(true, ordering: .relaxed) {
                log.error("what sessions have ended can't be kept, \(error); until they can, their ids are good again after a restart")
            }
            return false
        }
    }
}

/// `EXPIRES KEY CALLER`, with `*` for all of the caller's.
extension EndedSessions.Entry: StateLogLine {
    var line: String { "\(expires) \(key ?? "*") \(caller)" }

    init?(line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let expires = Int(parts[0]), parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.count <= 64 }) else { return nil }
        self.init(key: parts[1] == "*" ? nil : String(parts[1]), of: String(parts[2]), expires: expires)
    }
}
