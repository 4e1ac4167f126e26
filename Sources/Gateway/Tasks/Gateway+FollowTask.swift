import Audit
import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// How long a legacy client waits to see that a modern upstream has cancelled a task: there it is only asked to.
    private static let cancelTime = Duration.seconds(5)

    /// The way of a request about a task: caller and id → ticket → target → permit → upstream and back.
    ///
    /// A task that the caller may not follow is answered as one that does not exist.
    func followTask(_ call: Call, to channel: any ClientChannel, noting trail: AuditTrail?) async throws -> Reply? {
        try checkTaskMethod(of: call)
        let (ticket, id) = try ticket(of: call, noting: trail)
        let (task, exposure) = try await admit(call, to: ticket, as: id, channel, noting: trail)
        trail?.passedOn()
        do {
            let outcome = try await answer(call, about: task, as: id)
            trail?.succeeded()
            switch outcome {
            case .result(let result): return Reply(result: result, id: call.id, era: call.era, from: exposure.serverInfo)
            case .error(let error): return Reply(error: error.naming(id, insteadOf: ticket.id), id: call.id)
            }
        } catch let refusal as UpstreamRefusal {
            trail?.failed("upstream_error")
            return Reply(error: refusal.answer.error.map(refusal.answer.value)?.naming(id, insteadOf: ticket.id) ?? .null, id: call.id)
        } catch let error as UpstreamError {
            if case .cancelled = error { return nil }
            throw clientForm(of: error, from: ticket.upstream, tool: ticket.tool, noting: trail)
        }
    }

    /// Which methods there are depends on the revision; the extension's need its declaration
    /// (MCP 2025-11-25 basic/utilities/tasks; io.modelcontextprotocol/tasks, "Protocol Errors").
    private func checkTaskMethod(of call: Call) throws(ProtocolError) {
        let isKnown =
            switch call.message.method {
            case .getTask, .cancelTask: call.revision >= .v2025_11_25
            case .taskResult: call.revision == .v2025_11_25
            case .updateTask: call.era == .modern
            default: false
            }
        guard isKnown else { throw ProtocolError(.methodNotFound, "Method not found: \(call.message.methodText.prefix(100))") }
        guard call.era == .legacy || TaskExtension.isDeclared(in: call.clientCapabilities) else { throw TaskExtension.missing }
    }

    /// What the id says; refused where it is nobody's, another caller's or another virtual server's.
    private func ticket(of call: Call, noting trail: AuditTrail?) throws -> (TaskTicket, id: String) {
        if let defect = call.message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        guard let id = call.message.text(call.message.params.taskID) else {
            throw ProtocolError(.invalidParams, "Invalid params: `taskId` is missing")
        }
        guard let ticket = TaskTicket(opening: id, with: try roundSeal.seal()) else { throw taskNotFound }
        guard ticket.belongs(to: call) else {
            trail?.decided(Decision(.denied, reason: "the task belongs to another caller or virtual server"))
            throw taskNotFound
        }
        return (ticket, id)
    }

    /// The task, where the caller may still use the tool that made it.
    private func admit(
        _ call: Call, to ticket: TaskTicket, as id: String, _ channel: any ClientChannel, noting trail: AuditTrail?
    ) async throws -> (UpstreamTask, Exposure) {
        trail?.event.followedTool = ticket.tool
        do {
            let (upstream, exposed, exposure) = try await target(Wanted(tool: ticket.tool), of: call, noting: trail)
            guard case .tool(let index) = exposed else { throw taskNotFound }
            let tool = exposure.tools[index]
            guard tool.upstream == ticket.upstream, tool.upstreamName.utf8.elementsEqual(ticket.upstreamTool.utf8) else { throw taskNotFound }
            let permit = try exposure.policy.access(of: call.caller).permit(
                call.caller, toFollow: index, called: tool.name, of: call.server, permittedUnder: ticket.grant)
            trail?.decided(permit.decision)
            if ticket.era == .legacy { remember(.task(ticket.id), as: id, for: call, at: upstream) }
            let errand = Errand(call: call, upstream: upstream, permit: permit, channel: channel) { interjection in
                await self.pass(interjection, about: (ticket.id, id), of: call, from: upstream, to: channel)
            }
            return (UpstreamTask(id: ticket.id, era: ticket.era, errand: errand), exposure)
        } catch let denial as Denial {
            trail?.decided(denial.decision)
            throw taskNotFound
        } catch let need as SignInNeed {
            throw clientForm(of: .credential(.signInNeeded(upstream: need.upstream)), from: need.upstream, tool: ticket.tool, noting: trail)
        } catch let error as ProtocolError where error.code == .invalidParams {
            throw taskNotFound
        }
    }

    /// What the client asks, asked of the upstream in its own era's way; the result in the client's.
    private func answer(_ call: Call, about task: UpstreamTask, as id: String) async throws -> TaskOutcome {
        switch call.message.method {
        case .taskResult:
            let outcome = try await outcome(of: task, as: id)
            if case .result(let result) = outcome { return .result(result.relatedToTask(id)) }
            return outcome
        case .cancelTask: return .result(try await cancel(task, for: call, as: id))
        case .updateTask:
            let params = call.message.params.range.flatMap { try? JSONValue(parsing: $0, of: call.message.bytes) }
            guard let responses = params?["inputResponses"], responses.members != nil else {
                throw ProtocolError(.invalidParams, "Invalid params: `inputResponses` must be an object")
            }
            if task.era == .modern {
                try await task.update(responses)
            } else if let asking = askingTasks[id] {
                asking.answer(with: responses)
            } else {
                // It has asked nothing that is still open, which is no mistake; or it is not known, which is.
                _ = try await task.look()
            }
            return .result([:])
        default:
            let state = try await task.look()
            return .result(call.era == .legacy ? state.json(for: .legacy, id: id) : try await detailed(state, of: task, as: id))
        }
    }

    /// What a task came to. What a modern upstream asks meanwhile, its legacy client is asked during the call, under the task's id as the client
    /// knows it; nil where it knows none.
    func outcome(of task: UpstreamTask, as id: String?) async throws -> TaskOutcome {
        let errand = task.errand
        do {
            return try await task.outcome(within: limits.callTimeWithProgress) { questions in
                let questions = questions.map { $0.related(toTask: id) }
                let responses = try await answers(to: questions, of: errand.call, from: errand.upstream.name, over: errand.channel)
                return .object((responses.members ?? []).map { .init($0.key, $0.value.relatedToTask(nil)) })
            }
        } catch UpstreamError.malformed(let defect) where task.era == .legacy {
            // Where the work broke or was cancelled, libraries of the field have nothing of a result to give.
            let state = try await task.look()
            guard state.status == .failed || state.status == .cancelled else { throw UpstreamError.malformed(defect) }
            return TaskOutcome(state)
        }
    }

    /// A task as a modern client sees it: with what came of it, or with what it asks.
    private func detailed(_ state: TaskState, of task: UpstreamTask, as id: String) async throws -> JSONValue {
        switch (state.status, state.era) {
        case (.completed, .legacy), (.failed, .legacy):
            return state.json(id: id, endedWith: try await outcome(of: task, as: id))
        case (.inputRequired, .modern): return try asking(try InputRequired(state), state, of: task, as: id)
        case (.inputRequired, .legacy):
            let questions = try await askingTasks.questions(of: task, as: id)
            if !questions.isEmpty { return try asking(InputRequired(questions, wait: .upstream(state: nil)), state, of: task, as: id) }
            // Perhaps it has gone on meanwhile; else it waits for nothing that this client could give.
            let state = try await task.look()
            guard state.status == .inputRequired else { return try await detailed(state, of: task, as: id) }
            return state.working(id: id)
        default: return state.json(for: .modern, id: id)
        }
    }

    private func cancel(_ task: UpstreamTask, for call: Call, as id: String) async throws -> JSONValue {
        switch (call.era, task.era) {
        case (.legacy, .legacy): return try await task.cancel()?.json(for: .legacy, id: id) ?? [:]
        case (.modern, .modern): _ = try await task.cancel()
        case (.modern, .legacy):
            do {
                _ = try await task.cancel()
            } catch is UpstreamRefusal {
                // It has ended already, which is no mistake in this era; or it is not known, which is.
                _ = try await task.look()
            }
        case (.legacy, .modern):
            let state = try await task.look()
            guard !state.status.isTerminal else {
                throw ProtocolError(.invalidParams, "Cannot cancel task: already in terminal status '\(state.status.rawValue)'")
            }
            _ = try await task.cancel()
            return try await task.settled(within: Self.cancelTime).json(for: .legacy, id: id)
        }
        return [:]
    }

    /// What it asks says who asks, and is what that client said it can answer.
    private func asking(_ required: InputRequired, _ state: TaskState, of task: UpstreamTask, as id: String) throws -> JSONValue {
        try required.check(against: task.errand.call.abilities)
        var json = state.json(for: .modern, id: id)
        json["inputRequests"] = .object(
            required.questions.map { .init($0.key, $0.worded(by: task.errand.upstream.name).related(toTask: nil).request) })
        return json
    }

    /// Passes on what comes before an answer about a task, which the upstream and the client know by those ids; nil where the client knows none.
    func pass(
        _ interjection: Interjection, about ids: (upstream: String, client: String)?, of call: Call, from upstream: Upstream,
        to channel: any ClientChannel
    ) async {
        switch interjection {
        case .notification(let notification) where notification.method == .taskStatus:
            if let ids, let bytes = clientForm(ofStatus: notification, about: ids.upstream, as: ids.client, for: call) { await channel.notify(bytes) }
        case .notification(let notification):
            if let bytes = clientForm(of: notification, for: call) { await channel.notify(relating(bytes, toTask: ids?.client)) }
        case .question(var asked):
            if asked.question.isOfTask { asked.question = asked.question.related(toTask: ids?.client) }
            await pass(.question(asked), of: call, from: upstream, to: channel)
        case .withdrawal: await pass(interjection, of: call, from: upstream, to: channel)
        }
    }

    /// Word of how that task stands, as the client may see it; nil when it is not for the client.
    private func clientForm(ofStatus notification: Message, about upstreamID: String, as id: String, for call: Call) -> [UInt8]? {
        // Another task's may be somebody else's.
        guard call.era == .legacy, let range = notification.params.range, let params = try? JSONValue(parsing: range, of: notification.bytes),
            let state = TaskState(params, era: .legacy), state.id.utf8.elementsEqual(upstreamID.utf8)
        else { return nil }
        return JSONValue.notification(MCPProtocol.Method.taskStatus.rawValue, state.json(for: .legacy, id: id))
    }

    /// A notification that names the task to which it belongs as the client knows it, or, for nil, no task.
    private func relating(_ notification: [UInt8], toTask id: String?) -> [UInt8] {
        guard var message = try? JSONValue(parsing: notification), let params = message["params"],
            params["_meta"]?[TaskExtension.relatedTask] != nil
        else { return notification }
        message["params"] = params.relatedToTask(id)
        return message.bytes
    }

    private var taskNotFound: ProtocolError { ProtocolError(.invalidParams, "Invalid params: task not found") }
}
