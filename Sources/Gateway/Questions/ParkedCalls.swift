import Auth
import Configuration
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// The calls that are parked until their clients come back, found again by ids that are good for one time.
final class ParkedCalls: Sendable {
    /// Of what upstreams ask and answer meanwhile, in all and of one caller.
    private static let bytesMax = 64 << 20
    private static let bytesOfCallerMax = 16 << 20

    private struct Entry {
        let call: ParkedCall
        var bytes: Int
        /// Closed when the client comes back.
        let claimed: Mailbox<Bool>
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var shares: [CallerIdentity: Share] = [:]
        var bytes = 0

        func hasRoom(for more: Int, of owner: CallerIdentity) -> Bool {
            bytes + more <= bytesMax && shares[owner, default: Share()].bytes + more <= bytesOfCallerMax
        }

        mutating func count(_ more: Int, of owner: CallerIdentity) {
            bytes += more
            shares[owner, default: Share()].bytes += more
        }
    }

    /// What one caller has.
    private struct Share {
        var calls = 0
        var bytes = 0
    }

    private let limits: LimitSettings
    private let state = Mutex(State())

    init(limits: LimitSettings) { self.limits = limits }

    /// Keeps the call for as long as an answer may take, and ends it then; throws where too many are kept already. Nil where something has
    /// come meanwhile, so that it need not wait.
    func park(_ call: ParkedCall) throws -> String? {
        let id = Base64.encodeURL(try Seal.random(16))
        let entry = Entry(call: call, bytes: call.open.reduce(1_024) { $0 + $1.request.bytes.count }, claimed: Mailbox(capacity: 1))
        let isKept = state.withLock { state in
            guard state.entries.count < limits.parkedCallsMax,
                state.shares[call.owner, default: Share()].calls < limits.parkedCallsOfCallerMax, state.hasRoom(for: entry.bytes, of: call.owner)
            else { return false }
            state.entries[id] = entry
            state.shares[call.owner, default: Share()].calls += 1
            state.count(entry.bytes, of: call.owner)
            return true
        }
        guard isKept else {
            throw ProtocolError(.internalError, "Too many calls wait for answers at the moment: answer some, or try again later")
        }
        guard call.leave(asking: { [weak self] in self?.keep($0, of: id) ?? false }) else {
            _ = claim(id)
            return nil
        }
        EventLoop.current?.task { [self, limits] in
            guard case .timedOut = await entry.claimed.next(within: limits.answerTime) else { return }
            claim(id)?.cancel()
        }
        return id
    }

    /// The call of that id, which is nobody else's from now on; nil when it was resumed before, or is over.
    func claim(_ id: String) -> ParkedCall? {
        let entry = state.withLock { state -> Entry? in
            guard let entry = state.entries.removeValue(forKey: id) else { return nil }
            let owner = entry.call.owner
            state.count(-entry.bytes, of: owner)
            state.shares[owner]?.calls -= 1
            if state.shares[owner]?.calls == 0 { state.shares[owner] = nil }
            return entry
        }
        entry?.claimed.close()
        return entry?.call
    }

    /// Counts what has come for it; false where that is too much.
    private func keep(_ bytes: Int, of id: String) -> Bool {
        state.withLock { state in
            // Its client has just come back.
            guard let owner = state.entries[id]?.call.owner else { return true }
            guard state.hasRoom(for: bytes, of: owner) else { return false }
            state.entries[id]?.bytes += bytes
            state.count(bytes, of: owner)
            return true
        }
    }

    /// Ends all of them.
    func end() { for id in state.withLock({ Array($0.entries.keys) }) { claim(id)?.cancel() } }
}
