import Auth
import Configuration
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// The calls that are parked until their clients come back, found again by ids that are good for one time.
final class ParkedCalls: Sendable {
    /// Of what is asked, in all.
    private static let bytesMax = 64 << 20

    private struct Entry {
        let call: ParkedCall
        let bytes: Int
        /// Closed when the client comes back.
        let claimed: Mailbox<Bool>
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var counts: [CallerIdentity: Int] = [:]
        var bytes = 0
    }

    private let limits: LimitSettings
    private let state = Mutex(State())

    init(limits: LimitSettings) { self.limits = limits }

    /// Keeps the call for as long as an answer may take, and ends it then; throws where too many are kept already.
    func park(_ call: ParkedCall) throws -> String {
        let id = Base64.encodeURL(try Seal.random(16))
        let entry = Entry(call: call, bytes: call.open.reduce(1_024) { $0 + $1.request.bytes.count }, claimed: Mailbox(capacity: 1))
        let isKept = state.withLock { state in
            guard state.entries.count < limits.parkedCallsMax, state.counts[call.owner, default: 0] < limits.parkedCallsOfCallerMax,
                state.bytes + entry.bytes <= Self.bytesMax
            else { return false }
            state.entries[id] = entry
            state.counts[call.owner, default: 0] += 1
            state.bytes += entry.bytes
            return true
        }
        guard isKept else {
            throw ProtocolError(.internalError, "Too many calls wait for answers at the moment: answer some, or try again later")
        }
        call.leave()
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
            state.bytes -= entry.bytes
            let count = state.counts[entry.call.owner, default: 1] - 1
            state.counts[entry.call.owner] = count > 0 ? count : nil
            return entry
        }
        entry?.claimed.close()
        return entry?.call
    }

    /// Ends all of them.
    func end() { for id in state.withLock({ Array($0.entries.keys) }) { claim(id)?.cancel() } }
}
