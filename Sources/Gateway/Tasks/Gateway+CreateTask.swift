import Audit
import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// What a legacy upstream shall get as `task`: nil where the call is to be answered with its result.
    ///
    /// A client that knows no tasks may call any tool all the same: the gateway waits for it. One of the extension says whether it does.
    func taskWish(of call: Call, for tool: ExposedTool) throws(ProtocolError) -> [UInt8]? {
        let isWanted = call.revision == .v2025_11_25 && call.message.params.task != nil
        guard tool.taskSupport != .forbidden else {
            guard isWanted else { return nil }
            throw ProtocolError(.methodNotFound, "The tool \(tool.name) can't be called as a task")
        }
        if let task = call.message.params.task, isWanted {
            guard task.kind == .object else { throw ProtocolError(.invalidParams, "Invalid params: `task` must be an object") }
            return Array(call.message.bytes[task.range])
        }
        if call.era == .modern, TaskExtension.isDeclared(in: call.clientCapabilities) { return Array("{}".utf8) }
        guard tool.taskSupport == .required else { return nil }
        if call.era == .modern { throw TaskExtension.missing }
        return Array("{}".utf8)
    }

    /// Whether more is to be done before the upstream's answer to a call is the client's.
    func concernsTasks(_ response: Message, to request: UpstreamRequest, of call: Call) -> Bool {
        if let result = response.result { return request.task != nil || result.isTask(in: response) }
        return call.era == .legacy && wantsTasks(response)
    }

    /// What the client gets where the upstream made a task of the call: a handle, or what the task comes to where it knows no tasks.
    func taskReply(
        to errand: Errand, _ request: UpstreamRequest, _ answer: Message, of index: Int, in exposure: Exposure, noting trail: AuditTrail?
    ) async throws -> Reply {
        let call = errand.call
        var response = answer
        if wantsTasks(answer) {
            // It can't do without, and the client does not know them (io.modelcontextprotocol/tasks, "Capability Negotiation").
            var request = request
            request.clientCapabilities = TaskExtension.declared(in: request.clientCapabilities)
            response = try await errand.ask(request)
        }
        guard let result = response.result, let tree = response.resultTree else {
            trail?.failed("upstream_error")
            return Reply(response, id: call.id, era: call.era)
        }
        let isModern = result.isTask(in: response)
        guard let state = isModern ? TaskState(tree, era: .modern) : tree["task"].flatMap({ TaskState($0, era: .legacy) }) else {
            if isModern || request.task != nil && tree["task"] != nil { throw UpstreamError.violation("its task has no id or no status") }
            if let violation = response.violation(asAnswerTo: .callTool) { throw violation }
            trail?.succeeded()
            return Reply(response, id: call.id, era: call.era, from: exposure.serverInfo)
        }
        let isForModern = call.era == .modern
        guard isForModern ? TaskExtension.isDeclared(in: call.clientCapabilities) : call.message.params.task != nil && request.task != nil else {
            guard !isForModern else { throw UpstreamError.violation("it made a task for a client that knows none") }
            return try await waitForTask(UpstreamTask(id: state.id, era: state.era, errand: errand), in: exposure, noting: trail)
        }
        trail?.succeeded()
        let access = exposure.policy.access(of: call.caller)
        let ticket = TaskTicket(state, of: call, on: exposure.tools[index], under: access.grant(of: index) ?? "")
        let id = try ticket.sealed(with: try roundSeal.seal())
        if state.era == .legacy { remember(.task(state.id), as: id, for: call, at: errand.upstream) }
        let task = state.json(for: call.era, id: id)
        guard !isForModern else {
            var task = task
            task["resultType"] = "task"
            return Reply(result: task, id: call.id, era: .modern, from: exposure.serverInfo)
        }
        var created: JSONValue = ["task": task]
        created["_meta"] = tree["_meta"]?.naming(id, insteadOf: state.id)
        return Reply(result: created, id: call.id, era: .legacy, from: exposure.serverInfo)
    }

    /// For a client that knows no tasks: what it comes to, as if it had been a plain call; what nobody waits for is cancelled.
    private func waitForTask(_ task: UpstreamTask, in exposure: Exposure, noting trail: AuditTrail?) async throws -> Reply {
        let call = task.errand.call
        do {
            let outcome = try await outcome(of: task, as: nil)
            trail?.succeeded()
            switch outcome {
            case .result(let result): return Reply(result: result, id: call.id, era: call.era, from: exposure.serverInfo)
            case .error(let error):
                trail?.failed("upstream_error")
                return Reply(error: error, id: call.id)
            }
        } catch let refusal as UpstreamRefusal {
            trail?.failed("upstream_error")
            return Reply(refusal.answer, id: call.id, era: call.era)
        } catch {
            task.abandon()
            throw error
        }
    }

    private func wantsTasks(_ response: Message) -> Bool {
        guard response.errorCode == .missingClientCapability, let error = response.error else { return false }
        return TaskExtension.isMissing(accordingTo: response.value(error)["data"])
    }
}
