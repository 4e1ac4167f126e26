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

    /// What it came to; waits for that, no longer than a call may take.
    func outcome(within time: Duration) async throws -> TaskOutcome {
        if era == .legacy {
            var request = request(.taskResult)
            request.waitsForTask = true
            request.wantsProgress = errand.call.message.params.meta?.progressToken != nil
            request.canAsk = errand.call.era == .legacy && !errand.call.abilities.isEmpty
            let outcome = TaskOutcome(try await errand.ask(request))
            if let defect = outcome.defect { throw UpstreamError.malformed(defect) }
            return outcome
        }
        return TaskOutcome(try await ended(within: time))
    }

    /// How it stands when it has ended, or asks something that nobody here can answer.
    private func ended(within time: Duration) async throws -> TaskState {
        let state = try await settled(within: time)
        if state.status == .inputRequired { throw QuestionOfTask() }
        guard state.status.isTerminal else { throw UpstreamError.timedOut }
        return state
    }

    /// How it stands once it works no more, or when time is up.
    func settled(within time: Duration) async throws -> TaskState {
        let deadline = ContinuousClock.now + time
        while true {
            let state = try await look()
            guard state.status == .working else { return state }
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

    /// Hands the answers to its questions on. `responses` is an object; a legacy upstream has asked nothing that way.
    func update(_ responses: JSONValue) async throws {
        guard era == .modern else {
            _ = try await look()
            return
        }
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

/// A task that waits for answers which its client can't be asked for.
struct QuestionOfTask: Error {}
