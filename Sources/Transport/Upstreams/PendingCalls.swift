import JSON
import MCPProtocol
import Network
import Synchronization

/// The calls that wait for answers on one shared channel, found again by request id.
final class PendingCalls: Sendable {
    enum Incoming: Sendable {
        case message(Message)
        case cancelled
        case malformed(String)
        case lost(String)
    }

    /// Messages that may wait for one call before it is given up.
    private static let queueLength = 1_024

    private struct State {
        var nextID = 1
        var calls: [Int: Mailbox<Incoming>] = [:]
        /// Those that a client waits for.
        var forClients: Set<Int> = []
        var lost: String?
        /// The last thing that came and was no message.
        var noise: String?
    }

    private let state = Mutex(State())

    /// A fresh id and the place where what belongs to it arrives.
    func open(forClient: Bool = false) throws(UpstreamError) -> (id: Int, mailbox: Mailbox<Incoming>) {
        let mailbox = Mailbox<Incoming>(capacity: Self.queueLength)
        let opened = state.withLock { state -> Result<Int, UpstreamError> in
            if let lost = state.lost { return .failure(.unavailable(lost)) }
            defer { state.nextID += 1 }
            state.calls[state.nextID] = mailbox
            if forClient { state.forClients.insert(state.nextID) }
            return .success(state.nextID)
        }
        return (try opened.get(), mailbox)
    }

    func close(_ id: Int) {
        state.withLock { state in
            state.calls[id] = nil
            state.forClients.remove(id)
        }
    }

    /// Hands a response or a request's notification to its call; false when it belongs to none.
    func route(_ message: Message) -> Bool {
        let mailbox = state.withLock { state -> Mailbox<Incoming>? in
            switch message.kind {
            case .result, .error: return message.idText.flatMap { Int($0) }.flatMap { state.calls[$0] }
            case .notification where message.method == .progress:
                return message.params.progressToken.flatMap { Int(String(decoding: message.bytes[$0.range], as: UTF8.self)) }
                    .flatMap { state.calls[$0] }
            // A log message names no request: it belongs to a call only when that is the only one.
            case .notification where message.method == .log:
                return state.forClients.count == 1 ? state.forClients.first.flatMap { state.calls[$0] } : nil
            default: return nil
            }
        }
        guard let mailbox else { return false }
        if !mailbox.send(.message(message)) { mailbox.close() }
        return true
    }

    /// Ends the call that a malformed answer was meant for; with no id that is the only call there is, or none.
    func fail(id: [UInt8]?, _ reason: String) {
        let mailbox = state.withLock { state -> Mailbox<Incoming>? in
            if let id { return Int(String(decoding: id, as: UTF8.self)).flatMap { state.calls[$0] } }
            return state.calls.count == 1 ? state.calls.first?.value : nil
        }
        _ = mailbox?.send(.malformed(reason))
    }

    /// Notes what came and was no message of any call; it may explain a silence.
    func noise(_ what: String) { state.withLock { $0.noise = what } }

    var lastNoise: String? { state.withLock { $0.noise } }

    /// Ends every call, and refuses later ones.
    func lose(_ reason: String) {
        let calls = state.withLock { state in
            state.lost = reason
            defer { state.calls = [:] }
            return state.calls
        }
        for mailbox in calls.values {
            _ = mailbox.send(.lost(reason))
            mailbox.close()
        }
    }

    /// Waits for the response of a call that has been sent.
    func response(
        from mailbox: Mailbox<Incoming>, within limit: CallLimit, onNotification: (Message) async -> Void
    ) async throws(UpstreamError) -> Message {
        var clock = CallClock(limit)
        while true {
            let remaining = clock.remaining
            guard remaining > .zero else { throw .timedOut }
            switch await mailbox.next(within: remaining) {
            case .timedOut: throw .timedOut
            case .closed: throw .broken("more messages than can be queued")
            case .element(.cancelled): throw .cancelled
            case .element(.malformed(let reason)): throw .violation(reason)
            case .element(.lost(let reason)): throw .broken(reason)
            case .element(.message(let message)):
                guard message.kind == .notification else { return message }
                if message.method == .progress { clock.sawProgress() }
                await onNotification(message)
            }
        }
    }
}
