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
        let round = try signInRound(of: call, tool: wanted.label)
        if let round, let reply = await waitForSignIn(call, round) { return reply }
        do {
            if wanted.kind == .tools, let reply = try await answerSignInTool(call, named: wanted.name, after: round) { return reply }
            return try await carryOut(call, of: wanted, to: channel, noting: trail, isRetry: isRetry)
        } catch let need as SignInNeed {
            trail?.failed("sign_in")
            return try await askToSignIn(call, tool: wanted.label, need, after: round)
        } catch let denial as Denial {
            trail?.decided(denial.decision)
            throw denial.defect.map { ProtocolError(.invalidParams, "Invalid params: \($0)") } ?? wanted.unknown(in: call.era)
        }
    }

    /// The way of a call: caller and call → target → arguments → permit → upstream and back.
    private func carryOut(
        _ call: Call, of wanted: Wanted, to channel: any ClientChannel, noting trail: AuditTrail?, isRetry: Bool
    ) async throws -> Reply? {
        let (upstream, exposed, exposure) = try await target(wanted, of: call, noting: trail)
        let (request, permit) = try admit(call, toUse: exposed, of: exposure, noting: trail)
        if let reply = emptyCompletion(call, of: exposed, in: exposure) { return reply }
        trail?.passedOn()

        do {
            let response = try await upstream.call(request, permit: permit, cancellation: call.cancellation) { notification in
                guard let bytes = self.clientForm(of: notification, for: call) else { return }
                await channel.notify(bytes)
            }
            if response.kind == .error, !response.isWellFormedError {
                throw UpstreamError.violation("its error has no integer code or no message")
            }
            if response.errorCode == .headerMismatch, !isRetry {
                // Nothing was done: its schema wants other headers than the one that we know
                // (MCP 2026-07-28 basic/transports/streamable-http, "Client Behavior").
                await upstream.refreshTools()
                return try await use(call, to: channel, noting: trail, isRetry: true)
            }
            if response.errorCode == .headerMismatch || response.errorCode == .unsupportedVersion {
                // That hop is ours: the client's request was right.
                throw UpstreamError.violation("it refuses our request: \(response.error.map(response.value)?.text ?? "")")
            }
            try checkQuestions(in: response, for: call)
            if call.era == .legacy, response.result?.isInputRequired(in: response) == true { throw cannotAsk(upstream.name) }
            if response.kind == .error { trail?.failed("upstream_error") } else { trail?.succeeded() }
            return try reply(with: response, to: call, for: exposed, in: exposure)
        } catch let error as UpstreamError {
            if case .cancelled = error { return nil }
            if let need = SignInNeed(error, upstream: upstream.name) { throw need }
            throw clientForm(of: error, from: upstream.name, tool: wanted.label, noting: trail)
        }
    }

    /// What the caller means and may use with some arguments at least; what is denied takes the same way as what does not exist.
    private func target(_ wanted: Wanted, of call: Call, noting trail: AuditTrail?) async throws -> (Upstream, Exposed, Exposure) {
        var snapshot = snapshot
        if let exposure = exposure(of: call.server, for: call.caller, in: snapshot), let exposed = exposure.find(wanted),
            let upstream = snapshot.upstreams[exposure.upstream(of: exposed)], exposure.denial(of: exposed, for: call.caller) == nil
        {
            note(exposed, in: exposure, of: upstream, for: call.caller, on: trail)
            return (try instance(of: upstream, for: call, wanted, noting: trail), exposed, exposure)
        }
        var exposure: Exposure
        (snapshot, exposure) = try await self.exposure(of: call.server, for: call.caller)
        guard exposure.serves(wanted.kind) else { throw methodNotFound(call) }
        if exposure.find(wanted) == nil, let starting = upstream(thatMayExpose: wanted, to: call.caller, in: exposure, of: snapshot) {
            // A list does not wait for what starts slowly; a call can't do without it.
            let instance = try instance(of: starting, for: call, wanted, noting: trail)
            await instance.settled(within: starting.definition.timeout)
            snapshot = self.snapshot
            exposure = self.exposure(of: call.server, for: call.caller, in: snapshot) ?? exposure
        }
        guard let exposed = exposure.find(wanted), let upstream = snapshot.upstreams[exposure.upstream(of: exposed)] else {
            if let upstream = upstream(thatMayExpose: wanted, to: call.caller, in: exposure, of: snapshot) {
                let instance = try instance(of: upstream, for: call, wanted, noting: trail)
                let failure = instance.credentialFailure.map(UpstreamError.credential)
                if let need = failure.flatMap({ SignInNeed($0, upstream: upstream.name) }) { throw need }
                let reason = instance.status.lastError ?? "it is still starting"
                throw clientForm(of: failure ?? .unavailable(reason), from: upstream.name, tool: wanted.label, noting: trail)
            }
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
        _ call: Call, toUse exposed: Exposed, of exposure: Exposure, noting trail: AuditTrail?
    ) throws -> (UpstreamRequest, Permit) {
        do {
            let request: UpstreamRequest
            let permit: Permit
            switch exposed {
            case .tool(let index):
                let tool = exposure.tools[index]
                try checkMirroredArguments(of: call, against: tool)
                let (toCall, arguments) = try self.request(for: tool, from: call)
                request = toCall
                permit = try exposure.permit(call.caller, toUse: exposed, arguments: arguments.map { (request.members, $0) })
            case .item(let item):
                let (members, arguments) = try members(for: item, from: call)
                request = self.request(members, named: item.upstreamName, from: call)
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

    /// The upstream as this caller's credential reaches it.
    private func instance(
        of upstream: UpstreamInstances, for call: Call, _ wanted: Wanted, noting trail: AuditTrail?
    ) throws(ProtocolError) -> Upstream {
        if let instance = upstream.instance(for: call.caller) { return instance }
        let failure = CredentialFailure.notForCaller("no entry of its `credential` is for \(call.caller)")
        throw clientForm(of: .credential(failure), from: upstream.name, tool: wanted.label, noting: trail)
    }

    /// An upstream that is away and may have what is wanted, which the caller may use.
    private func upstream(
        thatMayExpose wanted: Wanted, to caller: Caller, in exposure: Exposure, of snapshot: Snapshot
    ) -> UpstreamInstances? {
        guard let missing = exposure.missingUpstream(thatMayExpose: wanted.kind, wanted.name),
            exposure.policy.access(of: caller).mayUse(unknown: wanted.subjectKind, wanted.name, of: missing)
        else { return nil }
        return snapshot.upstreams[missing]
    }

    private func cannotAsk(_ upstream: String) -> ProtocolError {
        let what = "asks for input in mid-call, which the gateway can't pass on to clients of this revision yet"
        return ProtocolError(.internalError, "The upstream \"\(upstream)\" \(what)")
    }

    /// A client is asked only what it said it can answer (MCP 2026-07-28 basic/patterns/mrtr, "Server Requirements").
    private func checkQuestions(in response: Message, for call: Call) throws(ProtocolError) {
        guard call.era == .modern, let result = response.result, result.isInputRequired(in: response) else { return }
        let questions = (try? JSONValue(parsing: result.range, of: response.bytes))?["inputRequests"]?.members ?? []
        let declared = (try? JSONValue(parsing: call.clientCapabilities)) ?? [:]
        var missing: JSONValue = [:]
        for question in questions {
            let (capability, detail) = Self.capability(for: question.value)
            guard let known = declared[capability] else {
                missing[capability] = detail.map { $0 == "form" ? [:] : [$0: [:]] } ?? [:]
                continue
            }
            if let detail, known[detail] == nil, !(detail == "form" && known == [:]) { missing[capability] = [detail: [:]] }
        }
        guard missing.members?.isEmpty == false else { return }
        throw ProtocolError(
            .missingClientCapability, "Missing required client capability", data: ["requiredCapabilities": missing])
    }

    /// What a client must have declared to be asked this; elicitation without a mode is of forms, which `{}` declares too
    /// (MCP 2026-07-28 client/elicitation, "Capabilities"; client/sampling, "Capabilities").
    private static func capability(for question: JSONValue) -> (String, detail: String?) {
        let capability = String((question["method"]?.string ?? "").prefix { $0 != "/" })
        return switch capability {
        case "elicitation": (capability, question["params"]?["mode"] == "url" ? "url" : "form")
        case "sampling": (capability, question["params"]?["tools"] == nil ? nil : "tools")
        default: (capability, nil)
        }
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
    private func request(for tool: ExposedTool, from call: Call) throws(ProtocolError) -> (UpstreamRequest, arguments: Range<Int>?) {
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
        var request = request(members, named: tool.upstreamName, from: call)
        if !tool.upstreamHeaderParameters.isEmpty {
            let arguments = try tree(of: arguments.map { members[$0] } ?? ArraySlice("{}".utf8))
            request.mirroredParameters = tool.upstreamHeaderParameters.compactMap { parameter in
                parameter.value(in: arguments).map { (parameter.field, $0) }
            }
        }
        return (request, arguments)
    }

    /// The request of those members, with all that passes through in every call.
    private func request(_ members: [UInt8], named name: String, from call: Call) -> UpstreamRequest {
        let message = call.message
        var request = UpstreamRequest(message.methodText, members: members)
        request.isForClient = true
        let isAnswerToUs = message.signInState != nil
        let others = message.method == .complete ? [] : message.params.others
        for other in others where !message.bytes[other].starts(with: "\"task\"".utf8) {
            // Where it answers a question of ours it is not the upstream's.
            if isAnswerToUs, message.isAnswer(other) { continue }
            request.members.append(UInt8(ascii: ","))
            request.members.append(contentsOf: message.bytes[other])
        }
        request.meta = Array((message.params.meta?.others ?? []).map { message.bytes[$0] }.joined(separator: [UInt8(ascii: ",")]))
        request.wantsProgress = message.params.meta?.progressToken != nil
        request.logLevel = call.logLevel
        // What an upstream asks in mid-call can be passed on only where both ends are modern; the upstream's link knows its own era.
        if call.era == .modern { request.clientCapabilities = call.clientCapabilities }
        if message.method?.isNamed == true { request.mirroredName = name }
        return request
    }

    private func tree(of arguments: ArraySlice<UInt8>) throws(ProtocolError) -> JSONValue {
        do {
            return try JSONValue(parsing: Array(arguments), depthMax: .max)
        } catch {
            throw ProtocolError(.invalidParams, "Invalid params: `arguments` has \(error)")
        }
    }

    /// An upstream's notification as the client may see it; nil when it is not for the client.
    private func clientForm(of notification: Message, for call: Call) -> [UInt8]? {
        switch notification.method {
        case .progress:
            guard let token = call.message.params.meta?.progressToken, let ours = notification.params.progressToken else { return nil }
            let bytes = notification.bytes
            return Array(bytes[..<ours.range.lowerBound]) + call.message.bytes[token.range] + bytes[ours.range.upperBound...]
        case .log:
            guard let wanted = call.logLevel, let level = notification.text(notification.params.level).flatMap(LogLevel.init) else { return nil }
            return level >= wanted ? notification.bytes : nil
        default: return nil
        }
    }

    /// The client gets a short text and an id; the log has the same id and the cause.
    private func clientForm(of error: UpstreamError, from upstream: String, tool: String, noting trail: AuditTrail?) -> ProtocolError {
        let id = ErrorID()
        trail?.failed(error.kind, id: id)
        let what =
            switch error {
            case .unavailable: "The upstream \"\(upstream)\" is not available at present"
            case .refused: "The upstream \"\(upstream)\" refused the call"
            case .credential(.notForCaller): "The gateway has no credential of yours for the upstream \"\(upstream)\""
            case .credential(.signInNeeded): "You have not signed in to the upstream \"\(upstream)\" yet"
            case .credential: "The gateway has no credential for the upstream \"\(upstream)\" at present"
            case .insufficientScope: "The upstream \"\(upstream)\" wants a credential that may do more"
            case .broken: "The upstream \"\(upstream)\" went away during the call, which may have had an effect"
            case .timedOut: "The upstream \"\(upstream)\" did not answer in time"
            case .violation: "The upstream \"\(upstream)\" gave an answer that is not valid MCP"
            case .cancelled: "The call was cancelled"
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
        }
    }
}
