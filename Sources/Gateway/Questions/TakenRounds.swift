import Diagnostics
import Dispatch
import Network
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The rounds that were taken up, so that none is a second time, also after a restart or at another instance: what an upstream does on an answer,
/// it does once. They are kept in the state folder until they run out; away from the loops.
final class TakenRounds: Sendable {
    /// `EXPIRES ID`.
    struct Entry: Hashable, StateLogLine {
        let id: String
        /// In seconds since 1970; 0 where it was put back.
        let expires: Int
    }

    private struct State {
        var log: StateLog<Entry>
        /// When they run out, by id.
        var expiries: [String: Int] = [:]
        /// Those that could not be written down yet.
        var unkept: [Entry] = []
        var hasFailed = false
    }

    fileprivate static let countMax = 100_000
    /// How long a client waits for the disk.
    private static let keepingTime = Duration.seconds(5)
    private let queue = DispatchQueue(label: "rounds")
    private let state: Mutex<State>
    private let log = Log("state")

    init(stateFolder: String) { state = Mutex(State(log: StateLog(path: stateFolder + "/taken-rounds"))) }

    /// False where that was done before, or where too many were taken lately. Only what goes on at an upstream counts: a sign-in may be waited for
    /// several times, and a parked call is found once anyway.
    func take(_ round: Round) async -> Bool {
        guard case .upstream = round.wait else { return true }
        let done = Mailbox<Bool>(capacity: 1)
        let (entry, isOurs) = (Entry(id: round.id, expires: round.expires), round.isOfThisProcess)
        queue.async { done.send(self.take(entry, isOurs: isOurs, now: time(nil))) }
        if case .element(true) = await done.next(within: Self.keepingTime) { return true }
        return false
    }

    /// Nothing was done with it, so that it is good for another try.
    func putBack(_ round: Round) {
        guard case .upstream = round.wait else { return }
        queue.async { self.putBack(round.id) }
    }

    /// The same, blocking. Where the state folder can't be written, what this process made itself is still known to be new; of what another one
    /// made nobody knows then.
    func take(_ entry: Entry, isOurs: Bool, now: Int) -> Bool {
        state.withLock { state in
            var expiries: [String: Int] = [:]
            swap(&expiries, &state.expiries)
            defer { swap(&expiries, &state.expiries) }
            let unkept = state.unkept
            var isNew = false
            do throws(StateError) {
                try state.log.append { news in
                    expiries.note(news, now: now)
                    isNew = expiries.canTake(entry)
                    return isNew ? unkept + [entry] : unkept
                }
                state.unkept = []
                state.hasFailed = false
            } catch {
                isNew = isOurs && expiries.canTake(entry)
                if isNew { state.unkept = unkept.filter { $0.expires > now } + [entry] }
                if !state.hasFailed {
                    log.error("what answers were used can't be kept, \(error); until they can, those to questions from before a restart are refused")
                }
                state.hasFailed = true
            }
            if isNew { expiries[entry.id] = entry.expires }
            // What is too long is still right.
            try? state.log.compact { news in
                expiries.note(news, now: now)
                return expiries.filter { $0.value > now }.map { Entry(id: $0.key, expires: $0.value) }
            }
            return isNew
        }
    }

    /// The same, blocking. Where that can't be written down it stays taken, unless its taking was not written down either.
    func putBack(_ id: String) {
        state.withLock { state in
            if let index = state.unkept.firstIndex(where: { $0.id == id }) {
                state.unkept.remove(at: index)
            } else if (try? state.log.append([Entry(id: id, expires: 0)])) == nil {
                return
            }
            state.expiries[id] = nil
        }
    }
}

extension TakenRounds.Entry {
    var line: String { "\(expires) \(id)" }

    init?(line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let expires = Int(parts[0]), (1...64).contains(parts[1].utf8.count) else { return nil }
        self.init(id: String(parts[1]), expires: expires)
    }
}

extension [String: Int] {
    fileprivate func canTake(_ entry: TakenRounds.Entry) -> Bool { count < TakenRounds.countMax && self[entry.id] == nil }

    /// Takes over what was written, and drops what has run out where there are too many.
    fileprivate mutating func note(_ news: [TakenRounds.Entry], now: Int) {
        for entry in news { self[entry.id] = entry.expires > now ? entry.expires : nil }
        if count >= TakenRounds.countMax { self = filter { $0.value > now } }
    }
}
