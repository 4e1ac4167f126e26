import Auth
import Synchronization

/// What is open in somebody's name and must end when they are no longer let in: streams and running calls.
final class OpenAccess: Sendable {
    /// What ends, and when.
    enum Kind: Sendable {
        /// Ends as soon as its caller would not be let in any more.
        case stream
        /// The same, but a token that merely runs out lets it finish: it was good when the call began, and calls have limits of their own.
        case call
    }

    struct Ticket: Hashable, Sendable { fileprivate let number: UInt64 }

    private struct Entry {
        var caller: Caller
        let kind: Kind
        let end: @Sendable () -> Void
    }

    private struct State {
        var entries: [Ticket: Entry] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// `end` is called once, on any thread, when the caller is no longer let in.
    func enter(_ caller: Caller, _ kind: Kind, end: @escaping @Sendable () -> Void) -> Ticket {
        state.withLock { state in
            state.last += 1
            let ticket = Ticket(number: state.last)
            state.entries[ticket] = Entry(caller: caller, kind: kind, end: end)
            return ticket
        }
    }

    func leave(_ ticket: Ticket) { state.withLock { _ = $0.entries.removeValue(forKey: ticket) } }

    /// The same caller has come again, perhaps with a newer token: what is open lasts as long as that.
    func renew(_ ticket: Ticket, as caller: Caller) { state.withLock { $0.entries[ticket]?.caller = caller } }

    /// Ends what belongs to callers who would not be let in now. `now` is in seconds since 1970.
    func endLost(now: Int, isStillGood: (Caller) -> Bool) {
        let entries = state.withLock { $0.entries }
        for (ticket, entry) in entries where !isStillGood(entry.caller) {
            if entry.kind == .call, let token = entry.caller.token, token.expires <= now { continue }
            // It may have been renewed since the look above.
            let isLost = state.withLock { state in
                guard state.entries[ticket]?.caller == entry.caller else { return false }
                state.entries[ticket] = nil
                return true
            }
            if isLost { entry.end() }
        }
    }
}
