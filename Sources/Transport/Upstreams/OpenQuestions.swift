import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// The questions that a legacy upstream has asked in one call, until they are answered.
final class OpenQuestions: Sendable {
    /// Of one call at once.
    private static let openMax = 16
    static let questionBytesMax = 4 << 20

    private struct State {
        var count = 0
        /// By key.
        var open: [String: Asked] = [:]
    }

    private struct Asked {
        /// The upstream's own id as it was spelt.
        let id: [UInt8]
        /// The task that it is of, by the upstream's id.
        let task: String?
    }

    private let state = Mutex(State())
    /// Hands one message to the upstream.
    private let send: @Sendable ([UInt8]) async -> Void

    init(send: @escaping @Sendable ([UInt8]) async -> Void) { self.send = send }

    var isEmpty: Bool { state.withLock { $0.open.isEmpty } }

    /// What the call is told of an upstream's request; nil for one that is answered with an error right here.
    func take(_ request: Message) async -> Interjection? {
        guard let id = request.id.map({ Array(request.bytes[$0.range]) }) else { return nil }
        let error: ProtocolError
        let params = (try? request.paramsTree()) ?? [:]
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        // Those of a task, whose stream may break, are unlike for as long as the task lives (io.modelcontextprotocol/tasks, "Task Update Requests").
        let key = params["_meta"]?[TaskExtension.relatedTask] == nil ? "question-\(number)" : "question-\(number)-\(ErrorID())"
        if request.bytes.count > Self.questionBytesMax {
            error = ProtocolError(.invalidParams, "Invalid params: a question may have \(Self.questionBytesMax) bytes")
        } else if let question = Question(key: key, method: request.method, params: params) {
            if let defect = question.defect {
                error = ProtocolError(.invalidParams, "Invalid params: \(defect)")
            } else if open(key, question, id) {
                return .question(AskedQuestion(question) { [self] in answer(key, $0) })
            } else {
                error = ProtocolError(.internalError, "\(Self.openMax) questions of this call are open already")
            }
        } else {
            error = .cannotBeAsked(request.methodText)
        }
        await send(Reply(error, id: id).bytes)
        return nil
    }

    /// Which question an upstream's cancellation means.
    func withdrawal(_ cancellation: Message) -> Interjection? {
        guard let id = cancellation.params.requestID.map({ Array(cancellation.bytes[$0.range]) }) else { return nil }
        let key = state.withLock { state in
            let key = state.open.first { $0.value.id == id }?.key
            if let key { state.open[key] = nil }
            return key
        }
        return key.map { .withdrawal(key: $0) }
    }

    /// Stops the call's clock while something is open, and gives up what nobody answers in time.
    func keep(_ clock: inout CallClock, _ onMessage: (Interjection) async -> Void) async {
        clock.stand(still: !isEmpty)
        guard clock.isAnswerOverdue() else { return }
        for key in refuseAll("nobody answered in time") { await onMessage(.withdrawal(key: key)) }
        clock.stand(still: false)
    }

    /// Answers what is still open with an error.
    @discardableResult
    func refuseAll(_ reason: String) -> [String] {
        let keys = state.withLock { Array($0.open.keys) }
        for key in keys { answer(key, .refusal(ProtocolError(.internalError, reason))) }
        return keys
    }

    private func open(_ key: String, _ question: Question, _ id: [UInt8]) -> Bool {
        state.withLock { state in
            guard state.open.count < Self.openMax else { return false }
            state.open[key] = Asked(id: id, task: question.task)
            return true
        }
    }

    private func answer(_ key: String, _ answer: Answer) {
        guard let asked = state.withLock({ $0.open.removeValue(forKey: key) }) else { return }
        let answer = answer.related(toTask: asked.task)
        EventLoop.current?.task { [send] in await send(answer.bytes(id: asked.id)) }
    }
}
