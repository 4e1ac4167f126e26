import Audit
import Auth
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
        if let round, !isRetry { try await take(round, at: upstream) }
        if call.message.method == .complete, !exposure.canComplete(exposed) { return emptyCompletion(call) }
        try checkConsent(call, after: round)
        trail?.passedOn()

        do {
            switch try await converse(call, request, permit: permit, with: upstream, after: round, over: channel) {
            case .asked(let required):
                trail?.succeeded()
                return try inputRequired(call, required, from: upstream.name, after: round)
            case .answered(let response) where response.errorCode == .headerMismatch && response.isWellFormedError && !isRetry:
                // Nothing was done: its schema wants other headers than the one that we know
                // (MCP 2026-07-28 basic/transports/streamable-http, "Client Behavior").
                await upstream.refreshTools()
                return try await use(call, to: channel, noting: trail, isRetry: true)
            case .answered(let response):
                if let violation = response.violation(asAnswerTo: call.message.method, mayBeTask: request.task != nil) { throw violation }
                if case .tool(let index) = exposed, concernsTasks(response, to: request, of: call) {
                    let errand = Errand(call: call, upstream: upstream, permit: permit, channel: channel) { interjection in
                        await self.pass(interjection, about: nil, of: call, from: upstream, to: channel)
                    }
                    return try await taskReply(to: errand, request, response, of: index, in: exposure, noting: trail)
                }
                if response.kind == .error { trail?.failed("upstream_error") } else { trail?.succeeded() }
                if let error = try linksRequired(response, for: call, from: upstream) { throw error }
                return try reply(with: response, to: call, for: exposed, in: exposure)
            }
        } catch let error as UpstreamError {
            if case .cancelled = error { return nil }
            if let round, error.isBeforeTheCall { takenRounds.putBack(round) }
            if let need = SignInNeed(error, upstream: upstream.name) { throw need }
            throw clientForm(of: error, from: upstream.name, tool: wanted.label, noting: trail)
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
}

extension UpstreamError {
    /// Whether nothing can have been done.
    fileprivate var isBeforeTheCall: Bool {
        switch self {
        case .unavailable, .credential, .insufficientScope, .busy: true
        case .refused, .broken, .timedOut, .cancelled, .violation, .malformed: false
        }
    }
}
