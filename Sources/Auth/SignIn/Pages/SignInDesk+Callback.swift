extension SignInDesk {
    /// A browser comes back from the authorization server (RFC 6749 §4.1.2, RFC 9207).
    func comeBack(_ request: SignInRequest) async -> SignInReply {
        guard let parameters = FormParameters(request.query ?? ""), let state = parameters["state"], let pending = pending(state: state),
            let departure = pending.departure
        else {
            log.warning("a browser came back with a state that is unknown, used or too old")
            return Self.page(
                "Nobody waits for this", 400, "This sign-in is over, or it was not begun here. Ask your agent for the tool again to get another link."
            )
        }
        // Who was sent away must come back: a code from another browser would put somebody else's account into this caller's hands.
        guard let browser = request.cookie(departure.site.cookie), SHA256Digest(of: browser) == departure.browser else {
            log.warning("a sign-in of \(pending.caller) to \(pending.demand.upstream) came back from another browser")
            return Self.page(
                "Another browser began this", 403, "Finish the sign-in in the browser where you opened the link, with cookies allowed.")
        }
        // Taken only now, so that a stranger who learns of a state can't end somebody's sign-in; from here on it is used up.
        guard take(pending) else { return Self.gone }
        defer { end(pending) }
        if let refusal = issuerRefusal(parameters["iss"], pending.plan.server) { return fail(pending, refusal) }
        if let error = parameters["error"] {
            if error == "access_denied" {
                log.info("\(pending.caller) did not sign in to \(pending.demand.upstream): refused there")
                return Self.page("You said no", 200, "Nothing was given to \(pending.caller). You can close this page.")
            }
            return fail(pending, "the server answers \(error.prefix(80)): \((parameters["error_description"] ?? "").prefix(300))")
        }
        guard let code = parameters["code"], (1...4_096).contains(code.utf8.count) else {
            return fail(pending, "the server sent neither a code nor an error")
        }
        let token: SignInToken
        do {
            token = try await redeem(Secret(code), pending, departure)
        } catch {
            return fail(pending, error.description)
        }
        signedIn(SignedIn(caller: pending.caller, upstream: pending.demand.upstream, scopes: token.scopes))
        var page = SignInPage("You are signed in")
        page.say(
            "\(pending.caller) can use \(pending.demand.upstream) with your account from now on. You can close this page and go back to your agent.")
        // The cookie stays: another sign-in may be under way in the same browser.
        return page.reply(200)
    }

    /// Why the answer is not that of the server that was asked (mix-up; RFC 9207 §2.4).
    private func issuerRefusal(_ issuer: String?, _ server: AuthorizationServer) -> String? {
        guard let issuer else { return server.sendsIssuer ? "the answer does not say which server it is from" : nil }
        guard let expected = server.issuer else { return nil }
        return issuer.utf8.elementsEqual(expected.utf8) ? nil : "the answer is from another server than \(expected)"
    }

    private func redeem(
        _ code: Secret, _ pending: PendingSignIn, _ departure: PendingSignIn.Departure
    ) async throws(CredentialFailure) -> SignInToken {
        guard let store = services.store else { throw .unresolved("there is no store for tokens") }
        let plan = pending.plan
        var parameters = [
            ("grant_type", "authorization_code"), ("code", code.reveal()), ("redirect_uri", departure.site.redirect),
            ("code_verifier", departure.proof.verifier.reveal()),
        ]
        if let resource = plan.resource { parameters.append(("resource", resource)) }
        let endpoint = TokenEndpoint(client: departure.client, source: plan.source(of: plan.server.tokenEndpoint), services: services)
        let grant = try await endpoint.request(parameters, secrets: [code, departure.proof.verifier])
        let id: String
        do {
            id = try departure.client.clientID.resolve(environment: services.environment).reveal()
        } catch {
            throw .unresolved(error.description)
        }
        var token = SignInToken(
            accessToken: grant.response.accessToken, issued: services.date(), scopes: pending.wantedScopes, askedScopes: pending.wantedScopes,
            address: pending.demand.address, issuer: plan.server.issuer, tokenEndpoint: plan.server.tokenEndpoint, resource: plan.resource,
            clientID: id)
        token.configuredScopes = pending.demand.definition.scopes
        switch departure.client.authentication {
        case .issued(let secret): token.issuedSecret = secret
        case .basic: token.isBasic = true
        case .post: token.isBasic = false
        case .postOrBasic, .privateKeyJWT, .none: break
        }
        token.take(grant.response, at: services.date())
        if pending.demand.definition.client != nil { try await store.save(home: plan.server.name, of: id, for: pending.demand.address) }
        try await store.save(token, of: pending.caller.identity, pending.demand.upstream)
        return token
    }
}
