import JSON
import MCPProtocol
import Network
import Transport

/// An error with which the upstream answered, where a result was needed to go on; the client gets it.
struct UpstreamRefusal: Error {
    let answer: Message
}

/// A task where it runs, and what can be asked about it there. What comes back is the upstream's, under the upstream's id.
struct UpstreamTask {
    /// The time between two looks at a task that somebody waits for, in milliseconds; within these bounds the upstream suggests it.
    private static let pollInterval = 100...10_000
    private static let usualPollInterval = 1_000

    let id: String
    let era: Era
    let errand: Errand

    /// How it stands.
    func look() async throws -> TaskState { try await state(from: request(.getTask)) }

    /// What it came to; waits for that, no longer than a call may take. What a modern upstream asks meanwhile goes to `answering`, each question
    /// once, whose result are the `inputResponses`; a legacy one asks on the stream.
    func outcome(within time: Duration, answering: ([Question]) async throws -> JSONValue) async throws -> TaskOutcome {
        if era == .legacy {
            var request = resultRequest
            request.canAsk = request.canAsk && errand.call.era == .legacy
            let outcome = TaskOutcome(try await errand.ask(request))
            if let defect = outcome.defect { throw UpstreamError.malformed(defect) }
            return outcome
        }
        var deadline = ContinuousClock.now + time
        var answered: Set<String> = []
        while true {
            let state = try await settled(within: deadline - .now, besides: answered)
            if state.status.isTerminal { return TaskOutcome(state) }
            let questions = try InputRequired(state, besides: answered).questions
            guard !questions.isEmpty else { throw UpstreamError.timedOut }
            let asked = ContinuousClock.now
            try await update(try await answering(questions))
            answered.formUnion(questions.map(\.key))
            // Waiting for people is no time of the upstream's.
            deadline += .now - asked
        }
    }

    /// The request for what a legacy task came to, which is open for as long as the task lasts, and on which it asks.
    var resultRequest: UpstreamRequest {
        var request = request(.taskResult)
        request.waitsForTask = true
        request.wantsProgress = errand.call.message.params.meta?.progressToken != nil
        request.canAsk = !errand.call.abilities.isEmpty
        return request
    }

    /// How it stands once it works no more, or when time is up. It still works where it waits for nothing but the answers of those keys, which it
    /// has been sent (io.modelcontextprotocol/tasks, "Task Update Requests": the acknowledgement is eventually consistent).
    func settled(within time: Duration, besides answered: Set<String> = []) async throws -> TaskState {
        let deadline = ContinuousClock.now + time
        while true {
            let state = try await look()
            guard state.status == .working || state.status == .inputRequired && state.isAnswered(by: answered) else { return state }
            let interval = min(max(state.pollInterval ?? Self.usualPollInterval, Self.pollInterval.lowerBound), Self.pollInterval.upperBound)
            guard ContinuousClock.now + .milliseconds(interval) < deadline else { return state }
            try await errand.pause(.milliseconds(interval))
        }
    }

    /// Has it cancelled. A legacy upstream answers how it stands then, a modern one only that it has heard.
    func cancel() async throws -> TaskState? {
        if era == .legacy { return try await state(from: request(.cancelTask)) }
        _ = try await result(of: request(.cancelTask))
        return nil
    }

    /// Hands the answers to its questions on, where it is a modern upstream's. `responses` is an object.
    func update(_ responses: JSONValue) async throws {
        var members: [UInt8] = []
        members.append("\"inputResponses\":")
        members.append(json: responses)
        _ = try await result(of: request(.updateTask, members))
    }

    /// Cancels what nobody waits for any more, without waiting for that.
    func abandon() {
        let (upstream, permit, request) = (errand.upstream, errand.permit, request(.cancelTask))
        EventLoop.current?.task {
            _ = try? await upstream.call(request, permit: permit, cancellation: Cancellation(), onMessage: { _ in })
        }
    }

    // MARK: - Asking

    private func state(from request: UpstreamRequest) async throws -> TaskState {
        guard let state = TaskState(try await result(of: request), era: era), state.id.utf8.elementsEqual(id.utf8) else {
            throw UpstreamError.violation("its answer to `\(request.method)` is not about that task")
        }
        if state.status == .completed, let defect = state.result?.toolResultDefect { throw UpstreamError.malformed(defect) }
        return state
    }

    private func result(of request: UpstreamRequest) async throws -> JSONValue {
        let answer = try await errand.ask(request)
        guard let result = answer.resultTree else { throw UpstreamRefusal(answer: answer) }
        return result
    }

    private func request(_ method: MCPProtocol.Method, _ more: [UInt8] = []) -> UpstreamRequest {
        let call = errand.call
        var members: [UInt8] = []
        members.append("\"taskId\":")
        members.append(jsonString: id)
        if !more.isEmpty { members += [UInt8(ascii: ",")] + more }
        var request = UpstreamRequest(method.rawValue, members: members)
        request.origin = call.origin
        request.mirroredName = id
        request.logLevel = call.logLevel
        request.clientCapabilities = call.era == .modern ? TaskExtension.declared(in: call.clientCapabilities) : TaskExtension.capabilities.bytes
        return request
    }
}
