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
        /// Those that a client waits for, and whose they are.
        var forClients: [Int: UpstreamRequest.Origin] = [:]
        /// Those of them that have to do with tasks.
        var ofTasks: [Int: LingeringWork.Matter] = [:]
        var askable = AskableCalls()
        /// Which call a question was put to, by the upstream's id as it was spelt.
        var questions: [String: Int] = [:]
        var lost: String?
        /// The last thing that came and was no message.
        var noise: String?

        /// The call that a log message belongs to, for it names none; nil where that can't be told.
        ///
        /// Where several calls could be meant, or what lingers, it is only guessed where all are one caller's: it is the only one that waits for no
        /// answers, or the last of those where all are of one session.
        var logging: Int? {
            mutating get {
                guard let (id, origin) = forClients.first, askable.lingering.isOnly(origin.caller) else { return nil }
                guard forClients.count > 1 else { return id }
                guard forClients.values.allSatisfy({ $0.caller == origin.caller }) else { return nil }
                let busy = forClients.keys.filter { !askable.isWaiting($0) }
                if busy.count == 1 { return busy.first }
                return origin.session != nil && forClients.values.allSatisfy { $0.session == origin.session } ? busy.max() : nil
            }
        }
    }

    private let state = Mutex(State())

    /// A fresh id and the place where what belongs to it arrives.
    ///
    /// Only legacy upstreams put questions to calls that run.
    func open(_ request: UpstreamRequest? = nil, askedBy era: Era = .modern) throws(UpstreamError) -> (id: Int, mailbox: Mailbox<Incoming>) {
        let mailbox = Mailbox<Incoming>(capacity: Self.queueLength)
        let opened = state.withLock { state -> Result<Int, UpstreamError> in
            if let lost = state.lost { return .failure(.unavailable(lost)) }
            defer { state.nextID += 1 }
            state.calls[state.nextID] = mailbox
            if let request, let origin = request.origin {
                state.forClients[state.nextID] = origin
                if request.canAsk, era == .legacy { state.askable.insert(state.nextID, of: origin) }
                if let matter = LingeringWork.Matter(request) { state.ofTasks[state.nextID] = matter }
            }
            return .success(state.nextID)
        }
        return (try opened.get(), mailbox)
    }

    /// `isCancelled` where the upstream has not answered: what it still asks and logs of that call is nobody else's.
    func close(_ id: Int, isCancelled: Bool = false) {
        state.withLock { state in
            state.calls[id] = nil
            if !state.ofTasks.isEmpty { state.ofTasks[id] = nil }
            if let origin = state.forClients.removeValue(forKey: id), isCancelled { state.askable.lingering.abandon(id, of: origin) }
            guard state.askable.remove(id), !state.questions.isEmpty else { return }
            state.questions = state.questions.filter { $0.value != id }
        }
    }

    /// Hands a response, a notification or a question to the call that it belongs to; false when it belongs to none.
    func route(_ message: Message) -> Bool {
        let mailbox = state.withLock { state -> Mailbox<Incoming>? in
            switch message.kind {
            case .result, .error:
                guard let id = message.idText.flatMap({ Int($0) }) else { return nil }
                state.askable.lingering.settle(id, with: message)
                // A modern upstream decides for itself that a call becomes a task.
                let mayBecomeTask = message.result?.isTask(in: message) == true ? LingeringWork.Matter.mayBecomeTask : nil
                if let matter = mayBecomeTask ?? (state.ofTasks.isEmpty ? nil : state.ofTasks[id]), let origin = state.forClients[id] {
                    state.askable.lingering.note(message, to: matter, of: origin)
                }
                return state.calls[id]
            case .notification where message.method == .taskStatus:
                state.askable.lingering.note(message)
                return nil
            case .notification where message.method == .progress:
                return message.params.progressToken.flatMap { Int(String(decoding: message.bytes[$0.range], as: UTF8.self)) }
                    .flatMap { state.calls[$0] }
            case .notification where message.method == .acknowledged: return message.acknowledgedID.flatMap { state.calls[$0] }
            case .notification where message.method == .log: return state.logging.flatMap { state.calls[$0] }
            case .notification where message.method == .cancelled:
                guard let id = message.params.requestID.map({ String(decoding: message.bytes[$0.range], as: UTF8.self) }),
                    let call = state.questions.removeValue(forKey: id)
                else { return nil }
                state.askable.wasAnswered(call)
                return state.calls[call]
            case .notification where message.method == .elicitationCompleted: return state.askable.call(of: message).flatMap { state.calls[$0] }
            case .request where message.method != .ping:
                guard let call = state.askable.asked, let id = message.idText else { return nil }
                state.questions[id] = call
                state.askable.wasAsked(call, message)
                return state.calls[call]
            default: return nil
            }
        }
        guard let mailbox else { return false }
        if !mailbox.send(.message(message)) { mailbox.close() }
        return true
    }

    /// A question that was put to that call has been answered.
    func wasAnswered(by id: Int) { state.withLock { $0.askable.wasAnswered(id) } }

    /// Whether several clients could be asked.
    var isAmbiguous: Bool { state.withLock { $0.askable.isAmbiguous } }

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

    /// Waits for the response of a call that has been sent; `answer` sends the answers to what the upstream asks meanwhile.
    func response(
        from mailbox: Mailbox<Incoming>, within limit: CallLimit, answer: @escaping @Sendable ([UInt8]) async -> Void = { _ in },
        onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        var clock = CallClock(limit)
        var questions: OpenQuestions?
        defer { questions?.refuseAll("the call is over") }
        while true {
            if let questions { await questions.keep(&clock, onMessage) }
            let remaining = clock.remaining
            guard remaining > .zero else { throw .timedOut }
            switch await mailbox.next(within: remaining) {
            case .timedOut: continue
            case .closed: throw .broken("more messages than can be queued")
            case .element(.cancelled): throw .cancelled
            case .element(.malformed(let reason)): throw .violation(reason)
            case .element(.lost(let reason)): throw .broken(reason)
            case .element(.message(let message)):
                switch message.kind {
                case .result, .error: return message
                case .request:
                    let asking = questions ?? OpenQuestions(send: answer)
                    questions = asking
                    if let asked = await asking.take(message) { await onMessage(asked) }
                case .notification where message.method == .cancelled:
                    if let withdrawal = questions?.withdrawal(message) { await onMessage(withdrawal) }
                case .notification:
                    if message.method == .progress { clock.sawProgress() }
                    await onMessage(.notification(message))
                }
            }
        }
    }
}
