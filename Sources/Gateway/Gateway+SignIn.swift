import Audit
import Auth
import Configuration
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization
import Transport
import VirtualServers

extension Gateway {
    /// How long a call that is tried again waits for its caller to come back from the browser.
    private static let signInWait = Duration.seconds(20)
    /// How often a call asks for it.
    private static let signInRoundsMax = 8
    static let signInToolPrefix = "sign_in_"

    // MARK: - Asking

    /// Waits for the person; a reply where the call is over because of what they said.
    func waitForSignIn(_ call: Call, _ round: Round, noting trail: AuditTrail?) async throws(ProtocolError) -> Reply? {
        guard case .signIn(let link) = round.wait else { return nil }
        let answers = call.message.params.inputResponses.map(call.message.value)
        let action = answers?[Self.signInToolPrefix + round.upstream]?["action"]?.string
        if action == "decline" || action == "cancel" {
            trail?.answered(for: round.upstream)
            trail?.failed("sign_in")
            return try text("\(round.upstream): the user chose not to sign in, so this was not done.", isError: true, for: call)
        }
        guard let signIns else { return nil }
        let over = Mailbox<Bool>(capacity: 1)
        signIns.whenOver(link) { _ = over.send(true) }
        call.cancellation.whenCancelled { over.close() }
        _ = await over.next(within: Self.signInWait)
        call.cancellation.whenCancelled(nil)
        return nil
    }

    /// Gives the caller a link, in the form that the client understands.
    func askToSignIn(_ call: Call, _ need: SignInNeed, after round: Round?, noting trail: AuditTrail?) async throws -> Reply {
        let upstream = need.upstream
        guard call.message.method != .complete else { return emptyCompletion(call) }
        guard let signIns, var demand = snapshot.upstreams[upstream]?.signIn(for: call.caller) else {
            throw refusal(of: upstream, "\"\(upstream)\" wants a credential that may do more", "no sign-in could get one", noting: trail)
        }
        demand.scopes = need.scopes
        guard round?.number ?? 0 < Self.signInRoundsMax else {
            trail?.failed("sign_in")
            return try text("\(upstream): the user has not signed in. Ask them to, then try again later.", isError: true, for: call)
        }
        openSignInListener()
        let link: SignInLink
        do {
            link = try await signIns.link(for: demand, call.caller)
        } catch {
            throw clientForm(of: error, of: upstream, noting: trail)
        }
        let asks = need.scopes.isEmpty ? "sign in" : "sign in again and allow more"
        let message = "\(asks), so that your agents can use it with your account."
        switch (call.takesSignInLinks, call.revision) {
        case (true, .v2026_07_28):
            let params: JSONValue = ["mode": "url", "message": .string(message), "url": .string(link.url)]
            let question = Question(key: Self.signInToolPrefix + upstream, method: .elicit, params: params)
            return try inputRequired(call, InputRequired(question.map { [$0] } ?? [], wait: .signIn(link: link.id)), from: upstream, after: round)
        case (true, .v2025_11_25):
            let elicitation: JSONValue = [
                "mode": "url", "elicitationId": .string(link.id), "url": .string(link.url), "message": .string("\(upstream): \(message)"),
            ]
            throw ProtocolError(.urlElicitationRequired, "\(upstream): sign in first", data: ["elicitations": [elicitation]])
        default:
            let what = "Ask the user to open this link in a browser: \(link.url) and try again afterwards."
            let bounds = "The link is for \(call.caller) only, and works once, within ten minutes."
            return try text("\(upstream): \(message) \(what) \(bounds)", isError: true, for: call)
        }
    }

    /// For a model where it called a tool; prompts and resources have no errors of their own.
    private func text(_ text: String, isError: Bool, for call: Call) throws(ProtocolError) -> Reply {
        guard call.message.method == .callTool else { throw ProtocolError(.internalError, text) }
        let content: JSONValue = [["type": "text", "text": .string(text)]]
        let members = Array("\"content\":".utf8) + content.bytes + Array(",\"isError\":\(isError)".utf8)
        return Reply(result: members, id: call.id, era: call.era, from: snapshot.exposures[call.server]?.serverInfo ?? Product.info)
    }

    private func clientForm(of failure: SignInFailure, of upstream: String, noting trail: AuditTrail?) -> ProtocolError {
        let text =
            switch failure {
            case .anonymous: "\"\(upstream)\" wants each user to sign in, which anonymous callers can't: bring a key or a token"
            case .noSite: "\"\(upstream)\" wants you to sign in, and the gateway is not set up for that"
            case .inVain: "\"\(upstream)\" refuses this with all that you have allowed"
            case .tooMany: "\"\(upstream)\": too many people sign in at the moment; try again later"
            case .unavailable: "\"\(upstream)\" wants you to sign in, which is not possible at present"
            }
        return refusal(of: upstream, text, failure.description, noting: trail)
    }

    private func refusal(of upstream: String, _ text: String, _ cause: String, noting trail: AuditTrail?) -> ProtocolError {
        let id = ErrorID()
        trail?.failed("no_credential", id: id)
        Log(upstream).warning("nobody could be asked to sign in, error id \(id): \(cause)")
        return ProtocolError(.internalError, "The upstream \(text) (error id \(id))")
    }

    // MARK: - The tool that stands for those not known yet

    /// `sign_in_UPSTREAM`, for upstreams whose tools nobody has seen and this caller can't see before signing in.
    func appendSignInTools(for call: Call, _ exposure: Exposure, in snapshot: Snapshot, to members: inout [UInt8]) {
        for upstream in exposure.missingUpstreams.sorted() where mustSignIn(call.caller, to: upstream, exposure, snapshot) {
            let tool: JSONValue = [
                "name": .string(Self.signInToolPrefix + upstream), "title": .string("Sign in to \(upstream)"),
                "description": .string("Starts the user's sign-in to \(upstream), whose tools are listed afterwards."),
                "inputSchema": ["type": "object", "properties": [:], "additionalProperties": false],
                "annotations": ["readOnlyHint": true, "openWorldHint": true],
            ]
            if members.last != UInt8(ascii: "[") { members.append(UInt8(ascii: ",")) }
            members.append(contentsOf: tool.bytes)
        }
    }

    private func mustSignIn(_ caller: Caller, to upstream: String, _ exposure: Exposure, _ snapshot: Snapshot) -> Bool {
        maySignIn(caller, to: upstream, exposure, snapshot)
            && snapshot.upstreams[upstream]?.lister(for: caller)?.credentialFailure?.isOfSignIn == true
    }

    /// Whether there is a sign-in of that caller's to that upstream, and something to use there afterwards.
    func maySignIn(_ caller: Caller, to upstream: String, _ exposure: Exposure, _ snapshot: Snapshot) -> Bool {
        caller.proof != .none && snapshot.upstreams[upstream]?.signIn(for: caller) != nil
            && exposure.isOfUse(upstream, to: exposure.policy.access(of: caller))
    }

    /// The upstream that such a tool is for, where the name is that of one; an upstream may have a tool of that name itself.
    func signInUpstream(ofTool name: String, in exposure: Exposure) -> String? {
        guard name.hasPrefix(Self.signInToolPrefix), exposure.index(of: name) == nil else { return nil }
        let upstream = String(name.dropFirst(Self.signInToolPrefix.utf8.count))
        return exposure.definition.upstreams.contains(upstream) ? upstream : nil
    }

    /// The answer where the name is that of such a tool, else nil.
    func answerSignInTool(_ call: Call, named name: String, after round: Round?, noting trail: AuditTrail?) async throws -> Reply? {
        guard name.hasPrefix(Self.signInToolPrefix) else { return nil }
        let (snapshot, exposure) = try await exposure(for: call)
        guard let upstream = signInUpstream(ofTool: name, in: exposure), maySignIn(call.caller, to: upstream, exposure, snapshot) else { return nil }
        trail?.answered(for: upstream)
        if let need = await signInNeed(of: call.caller, for: upstream, in: snapshot) {
            return try await askToSignIn(call, need, after: round, noting: trail)
        }
        return try text("\(upstream): the user is signed in. List the tools again to see what there is.", isError: false, for: call)
    }

    /// What the caller lacks, whatever is known of the upstream's tools: a token, or one that may do more.
    private func signInNeed(of caller: Caller, for upstream: String, in snapshot: Snapshot) async -> SignInNeed? {
        guard let instances = snapshot.upstreams[upstream], (try? await instances.credentials.lines(for: caller)) != nil,
            let lister = instances.lister(for: caller)
        else { return SignInNeed(upstream: upstream) }
        // With a token that has just come, that is seen only now.
        if lister.credentialFailure != nil { await lister.settledAtFirst() }
        return lister.credentialFailure.flatMap { SignInNeed(.credential($0), upstream: upstream) }
    }

    // MARK: - Coming back

    /// Somebody has a token: their links are opened, and who listens hears of the new list.
    func signedIn(_ signedIn: SignedIn) {
        audit?.record(AuditEvent(of: signedIn))
        snapshot.upstreams[signedIn.upstream]?.credentialArrived(for: signedIn.caller.identity)
    }

    /// Says where browsers find the gateway.
    func takesSignIns(at addresses: [ListenAddress], scheme: String) {
        hasListener.store(true, ordering: .relaxed)
        let own = addresses.first { !$0.isWildcard }.map { "\(scheme)://\($0.authority)" }
        signIns?.site = (settings.publicURL ?? own).flatMap { SignInSite(base: $0) }
        introduceToServers()
    }

    /// The upstreams whose authorization servers may read who we are.
    func introduceToServers() {
        let upstreams = settings.upstreams.filter { definition in
            definition.credential.parts.contains { if case .authorizationCode(let signIn) = $0 { signIn.client == nil } else { false } }
        }
        signIns?.introduce(to: Set(upstreams.map(\.name)))
    }

    /// A gateway without an HTTP listener has none for browsers either.
    func openSignInListener() {
        if let signIns, !hasListener.load(ordering: .relaxed) { signInListener.open(for: signIns) }
    }
}
