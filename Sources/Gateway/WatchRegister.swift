import Auth
import MCPProtocol
import Synchronization
import Transport

/// The watches that clients have: no more than may be, in all and of each caller, and found again where their upstream is replaced.
final class WatchRegister: Sendable {
    /// Whose watch it is, of what, and where it was found: what it takes to begin it anew.
    struct Wish: Sendable {
        let upstream: String
        let caller: Caller
        let abilities: ClientAbilities
        let session: String?
    }

    private struct Entry {
        weak var watch: ResourceWatch?
        let wish: Wish
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var counts: [CallerIdentity: Int] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    /// Takes a watch in, which `begin` makes with what to call at its end; nil where there are too many.
    func admit(_ wish: Wish, countMax: Int, ofCallerMax: Int, begin: (_ onEnd: @escaping @Sendable () -> Void) -> ResourceWatch) -> ResourceWatch? {
        let identity = wish.caller.identity
        let number = state.withLock { state -> Int? in
            guard state.entries.count < countMax, state.counts[identity, default: 0] < ofCallerMax else { return nil }
            state.last += 1
            state.entries[state.last] = Entry(wish: wish)
            state.counts[identity, default: 0] += 1
            return state.last
        }
        guard let number else { return nil }
        let watch = begin { [weak self] in self?.leave(number, of: identity) }
        state.withLock { $0.entries[number]?.watch = watch }
        return watch
    }

    /// Those of one upstream.
    func watches(of upstream: String) -> [(watch: ResourceWatch, wish: Wish)] {
        state.withLock { state in
            state.entries.values.compactMap { entry in entry.wish.upstream == upstream ? entry.watch.map { ($0, entry.wish) } : nil }
        }
    }

    private func leave(_ number: Int, of identity: CallerIdentity) {
        state.withLock { state in
            guard state.entries.removeValue(forKey: number) != nil, let count = state.counts[identity] else { return }
            state.counts[identity] = count > 1 ? count - 1 : nil
        }
    }
}
