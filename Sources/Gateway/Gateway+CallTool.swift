import Audit
import Auth
import Diagnostics
import JSON
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// Calls a tool, gets a prompt, reads a resource, or completes an argument of one of the latter two.
    ///
    /// A denied call is answered as one of something that does not exist.
    func use(_ call: Call, to channel: any ClientChannel, noting trail: AuditTrail?, isRetry: Bool = false) async throws -> Reply? {
        let wanted = try Wanted(call)
        let round = try round(of: call)
        if let round, let reply = try await waitForSignIn(call, round, noting: trail) { return reply }
        do {
            if wanted.kind == .tools, let reply = try await answerSignInTool(call, named: wanted.name, after: round, noting: trail) { return reply }
            return try await carryOut(call, of: wanted, after: round, to: channel, noting: trail, isRetry: isRetry)
        } catch let need as SignInNeed {
            let reply = try await askToSignIn(call, need, after: round, noting: trail)
            trail?.failed("sign_in")
            return reply
        } catch let denial as Denial {
            trail?.decided(denial.decision)
            throw denial.defect.map { ProtocolError(.invalidParams, "Invalid params: \($0)") } ?? wanted.unknown(in: call.era)
        }
    }

    /// The way of a call: caller and call → target → arguments → permit → upstream and back.
    private func carryOut(
        _ call: Call, of wanted: Wanted, after round: Round?, to channel: any ClientChannel, noting trail: AuditTrail?, isRetry: Bool
    ) async throws -> Reply? {
        let (upstream, exposed, exposure) = try await target(wanted, of: call, noting: trail)
        let (request, permit) = try admit(call, toUse: exposed, of: exposure, after: round, noting: trail)
        if let round, round.upstream != upstream.name { throw staleState() }
        if call.message.method == .complete, !exposure.canComplete(exposed) { return emptyCompletion(call) }
        try checkConsent(call, after: round)
        trail?.passedOn()

        do {
            let outcome = try await converse(call, request, permit: permit, with: upstream, after: round, over: channel)
            guard case .answered(let response) = outcome else {
                trail?.succeeded()
                guard case .asked(let required) = outcome else { return nil }
                return try inputRequired(call, required, from: upstream.name, after: round)
            }
            if response.errorCode == .headerMismatch, response.isWellFormedError, !isRetry {
                // Nothing was done: its schema wants other headers than the one that we know
                // (MCP 2026-07-28 basic/transports/streamable-http, "Client Behavior").
                await upstream.refreshTools()
                return try await use(call, to: channel, noting: trail, isRetry: true)
            }
            if let violation = response.violation { throw violation }
            if case .tool(let index) = exposed, concernsTasks(response, to: request, of: call) {
                let errand = Errand(call: call, upstream: upstream, permit: permit) { interjection in
                    await self.pass(interjection, about: nil, of: call, from: upstream.name, to: channel)
                }
                return try await taskReply(to: errand, request, response, of: index, in: exposure, noting: trail)
            }
            if response.kind == .error { trail?.failed("upstream_error") } else { trail?.succeeded() }
            if let error = try linksRequired(response, for: call, from: upstream.name) { throw error }
            return try reply(with: response, to: call, for: exposed, in: exposure)
        } catch let error as UpstreamError {
            if case .cancelled = error { return nil }
            if let need = SignInNeed(error, upstream: upstream.name) { throw need }
            throw clientForm(of: error, from: upstream.name, tool: wanted.label, noting: trail)
        } catch is QuestionOfTask {
            throw cannotAsk(upstream.name)
        }
    }

    /// What the caller means and may use with some arguments at least; what is denied takes the same way as what does not exist.
    func target(_ wanted: Wanted, of call: Call, noting trail: AuditTrail?) async throws -> (Upstream, Exposed, Exposure) {
        var snapshot = snapshot
        if let exposure = exposure(of: call.server, for: call.caller, in: snapshot), let exposed = exposure.find(wanted),
            let upstream = snapshot.upstreams[exposure.upstream(of: exposed)], exposure.denial(of: exposed, for: call.caller) == nil
        {
            note(exposed, in: exposure, of: upstream, for: call.caller, on: trail)
            return (try instance(of: upstream, for: call, wanted, noting: trail), exposed, exposure)
        }
        var exposure: Exposure
        (snapshot, exposure) = try await self.exposure(for: call)
        guard exposure.serves(wanted.kind) else { throw methodNotFound(call) }
        if exposure.find(wanted) == nil, let starting = upstream(thatMayExpose: wanted, to: call.caller, in: exposure, of: snapshot, noting: trail) {
            // A list does not wait for what starts slowly; a call can't do without it.
            let instance = try instance(of: starting, for: call, wanted, noting: trail)
            await instance.settled(within: starting.definition.timeout)
            snapshot = self.snapshot
            exposure = self.exposure(of: call.server, for: call.caller, in: snapshot) ?? exposure
        }
        guard let exposed = exposure.find(wanted), let upstream = snapshot.upstreams[exposure.upstream(of: exposed)] else {
            if let upstream = upstream(thatMayExpose: wanted, to: call.caller, in: exposure, of: snapshot, noting: trail) {
                let instance = try instance(of: upstream, for: call, wanted, noting: trail)
                let failure = instance.credentialFailure.map(UpstreamError.credential)
                if let need = failure.flatMap({ SignInNeed($0, upstream: upstream.name) }) { throw need }
                let reason = instance.status.lastError ?? "it is still starting"
                throw clientForm(of: failure ?? .unavailable(reason), from: upstream.name, tool: wanted.label, noting: trail)
            }
            trail?.foundNothing()
            throw wanted.unknown(in: call.era)
        }
        note(exposed, in: exposure, of: upstream, for: call.caller, on: trail)
        if let denial = exposure.denial(of: exposed, for: call.caller) { throw denial }
        return (try instance(of: upstream, for: call, wanted, noting: trail), exposed, exposure)
    }

    private func note(_ exposed: Exposed, in exposure: Exposure, of upstream: UpstreamInstances, for caller: Caller, on trail: AuditTrail?) {
        guard let trail else { return }
        let shaping = if case .tool(let index) = exposed { exposure.tools[index].shaping } else { ArgumentShaping?.none }
        // Asked for where the arguments are written down.
        trail.found(upstream.name, exposure.upstreamName(of: exposed), concealing: shaping?.concealed) { upstream.redaction(for: caller) }
    }

    /// The request as it would go upstream, and the permit for just that.
    private func admit(
        _ call: Call, toUse exposed: Exposed, of exposure: Exposure, after round: Round?, noting trail: AuditTrail?
    ) throws -> (UpstreamRequest, Permit) {
        do {
            let request: UpstreamRequest
            let permit: Permit
            switch exposed {
            case .tool(let index):
                let tool = exposure.tools[index]
                try checkMirroredArguments(of: call, against: tool)
                let (toCall, arguments) = try self.request(for: tool, from: call, after: round)
                request = toCall
                permit = try exposure.permit(call.caller, toUse: exposed, arguments: arguments.map { (request.members, $0) })
            case .item(let item):
                let (members, arguments) = try members(for: item, from: call)
                request = self.request(members, named: item.upstreamName, from: call, after: round)
                permit =
                    call.message.method == .complete
                    ? try exposure.permit(call.caller, toComplete: item)
                    : try exposure.permit(call.caller, toUse: exposed, arguments: arguments.map { (members, $0) })
            }
            trail?.decided(permit.decision)
            return (request, permit)
        } catch {
            // What is wrong with the arguments is told only of what the caller sees.
            guard exposure.isVisible(exposed, to: call.caller) else {
                throw Denial((error as? Denial)?.decision ?? Decision(.denied, reason: "no arguments are allowed"))
            }
            trail?.invalid()
            throw error
        }
    }

    /// The instance of the upstream that is for this call.
    private func instance(
        of upstream: UpstreamInstances, for call: Call, _ wanted: Wanted, noting trail: AuditTrail?
    ) throws(ProtocolError) -> Upstream {
        do {
            return try upstream.instance(for: call)
        } catch {
            throw clientForm(of: error, from: upstream.name, tool: wanted.label, noting: trail)
        }
    }

    /// An upstream that is away and may have what is wanted, which the caller may use.
    private func upstream(
        thatMayExpose wanted: Wanted, to caller: Caller, in exposure: Exposure, of snapshot: Snapshot, noting trail: AuditTrail?
    ) -> UpstreamInstances? {
        guard let missing = exposure.missing(wanted.kind, named: wanted.name),
            let decision = exposure.policy.access(of: caller).allowance(of: missing), let upstream = snapshot.upstreams[missing.upstream]
        else { return nil }
        trail?.meant(missing.upstream, decision)
        return upstream
    }

    /// Header and body must agree (MCP 2026-07-28 basic/transports/streamable-http, "Server Behavior for Custom Headers").
    private func checkMirroredArguments(of call: Call, against tool: ExposedTool) throws(ProtocolError) {
        guard let headers = call.headers, !tool.headerParameters.isEmpty else { return }
        let arguments = try tree(of: call.message.params.arguments.map { call.message.bytes[$0.range] } ?? ArraySlice("{}".utf8))
        for parameter in tool.headerParameters {
            let key = parameter.field.lowercased()
            guard headers.count(named: key) <= 1 else {
                throw ProtocolError(.headerMismatch, "Header mismatch: \(parameter.field) stands there twice")
            }
            guard parameter.matches(headers[named: key], in: arguments) else {
                let argument = parameter.path.joined(separator: ".")
                throw ProtocolError(.headerMismatch, "Header mismatch: \(parameter.field) does not say what `\(argument)` says")
            }
        }
    }

    /// The request, and where the arguments lie in its members.
    private func request(
        for tool: ExposedTool, from call: Call, after round: Round?
    ) throws(ProtocolError) -> (UpstreamRequest, arguments: Range<Int>?) {
        let message = call.message
        var members: [UInt8] = []
        members.reserveCapacity((message.params.range?.count ?? 0) + 200)
        members.append("\"name\":")
        members.append(jsonString: tool.upstreamName)
        let start = members.count
        if let shaping = tool.shaping {
            members.append(",\"arguments\":")
            members.append(contentsOf: try shaping.apply(to: message.params.arguments, of: message))
        } else if let arguments = message.params.arguments {
            members.append(",\"arguments\":")
            members.append(contentsOf: message.bytes[arguments.range])
        }
        let arguments = members.count > start ? start + 13..<members.count : nil
        var request = request(members, named: tool.upstreamName, from: call, after: round)
        request.task = try taskWish(of: call, for: tool)
        if !tool.upstreamHeaderParameters.isEmpty {
            let arguments = try tree(of: arguments.map { members[$0] } ?? ArraySlice("{}".utf8))
            request.mirroredParameters = tool.upstreamHeaderParameters.compactMap { parameter in
                parameter.value(in: arguments).map { (parameter.field, $0) }
            }
        }
        return (request, arguments)
    }

    /// The request of those members, with all that passes through in every call.
    private func request(_ members: [UInt8], named name: String, from call: Call, after round: Round?) -> UpstreamRequest {
        let message = call.message
        var request = UpstreamRequest(message.methodText, members: members)
        request.isForClient = true
        request.meta = Array((message.params.meta?.others ?? []).map { message.bytes[$0] }.joined(separator: [UInt8(ascii: ",")]))
        request.wantsProgress = message.params.meta?.progressToken != nil
        request.logLevel = call.logLevel
        if call.era == .modern { request.clientCapabilities = call.clientCapabilities }
        // Nothing may be asked, or be named in a header, in a completion (MCP 2026-07-28 basic/patterns/mrtr, "Supported Requests").
        guard message.method?.isNamed == true else { return request }
        request.members.append(contentsOf: answers(in: message, after: round, by: call.era))
        for other in message.params.others {
            request.members.append(UInt8(ascii: ","))
            request.members.append(contentsOf: message.bytes[other])
        }
        let abilities = call.abilities
        request.canAsk = !abilities.isEmpty
        if request.canAsk { request.origin = call.origin }
        if call.era == .legacy, request.canAsk { request.clientCapabilities = abilities.capabilities.bytes }
        request.mirroredName = name
        return request
    }

    private func tree(of arguments: ArraySlice<UInt8>) throws(ProtocolError) -> JSONValue {
        do {
            return try JSONValue(parsing: Array(arguments), depthMax: .max)
        } catch {
            throw ProtocolError(.invalidParams, "Invalid params: `arguments` has \(error)")
        }
    }

    /// What a modern client's retry brings back for the upstream itself, each member with a comma before it.
    private func answers(in message: Message, after round: Round?, by era: Era) -> [UInt8] {
        var state: String?
        switch round?.wait {
        case .upstream(let known): state = known
        // Its answers were meant for us, or have been passed on already.
        case .signIn, .parked, .links: return []
        case nil: guard era == .modern else { return [] }
        }
        var members: [UInt8] = []
        if let responses = message.params.inputResponses {
            members.append(",\"inputResponses\":")
            members.append(contentsOf: message.bytes[responses.range])
        }
        if let state {
            members.append(",\"requestState\":")
            members.append(jsonString: state)
        }
        return members
    }

    /// An upstream's notification as the client may see it; nil when it is not for the client.
    func clientForm(of notification: Message, for call: Call) -> [UInt8]? {
        switch notification.method {
        case .progress:
            guard let token = call.message.params.meta?.progressToken, let ours = notification.params.progressToken else { return nil }
            let bytes = notification.bytes
            return Array(bytes[..<ours.range.lowerBound]) + call.message.bytes[token.range] + bytes[ours.range.upperBound...]
        case .log:
            guard let wanted = call.logLevel, let level = notification.text(notification.params.level).flatMap(LogLevel.init) else { return nil }
            return level >= wanted ? notification.bytes : nil
        case .elicitationCompleted: return call.era == .legacy && call.abilities.contains(.links) ? notification.bytes : nil
        default: return nil
        }
    }

    /// The client gets a short text and an id; the log has the same id and the cause.
    func clientForm(of error: UpstreamError, from upstream: String, tool: String, noting trail: AuditTrail?) -> ProtocolError {
        let id = ErrorID()
        trail?.failed(error.kind, id: id)
        let what =
            switch error {
            case .unavailable: "The upstream \"\(upstream)\" is not available at present"
            case .refused: "The upstream \"\(upstream)\" refused the call"
            case .credential(.notForCaller): "The gateway has no credential of yours for the upstream \"\(upstream)\""
            case .credential(.tokenNeeded):
                "The upstream \"\(upstream)\" is called with your own token exchanged, and you brought none that is still good"
            case .credential(.signInNeeded): "You have not signed in to the upstream \"\(upstream)\" yet"
            case .credential: "The gateway has no credential for the upstream \"\(upstream)\" at present"
            case .insufficientScope: "The upstream \"\(upstream)\" wants a credential that may do more"
            case .broken: "The upstream \"\(upstream)\" went away during the call, which may have had an effect"
            case .timedOut: "The upstream \"\(upstream)\" did not answer in time"
            case .violation: "The upstream \"\(upstream)\" gave an answer that is not valid MCP"
            case .cancelled: "The call was cancelled"
            case .busy: "The upstream \"\(upstream)\" serves as many callers as it may at present"
            }
        Log(upstream).warning("call of \(tool) failed, error id \(id): \(error)")
        return ProtocolError(.internalError, "\(what) (error id \(id))")
    }
}

extension UpstreamError {
    /// A word for machines, as the audit has it.
    fileprivate var kind: String {
        switch self {
        case .unavailable: "unavailable"
        case .refused: "refused"
        case .credential: "no_credential"
        case .insufficientScope: "insufficient_scope"
        case .broken: "broken"
        case .timedOut: "timed_out"
        case .violation: "invalid_answer"
        case .cancelled: "cancelled"
        case .busy: "busy"
        }
    }
}
