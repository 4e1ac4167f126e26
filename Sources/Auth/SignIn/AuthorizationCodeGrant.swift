import Diagnostics

/// Each user's own token, from when they signed in (RFC 6749 §4.1); renewed with its refresh token for as long as that is good.
///
/// One that the upstream refuses is renewed; where that can't be, or the fresh one is refused as well, it counts as taken back, and the user is
/// asked to sign in wherever the upstream sends people by then.
struct AuthorizationCodeGrant: CredentialGrant {
    let definition: SignInDefinition
    let upstream: String
    /// The upstream's own.
    let address: String
    let services: CredentialServices

    var dependsOnCaller: Bool { true }
    var references: [SecretReference] { [] }

    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential {
        guard caller.proof != .none else {
            throw .notForCaller("anonymous callers can't sign in to \(upstream): there is nobody to keep a token for")
        }
        guard let store = services.store else { throw .unresolved("there is no store for the tokens of \(upstream)") }
        guard let token = try await store.signInToken(of: caller.identity, upstream), token.address == address, isWanted(token) else {
            throw .signInNeeded(upstream: upstream)
        }
        let now = services.date()
        // Another may have come since, by a sign-in or by another process.
        let isRefused = credential(token, at: now).lines == refused
        if !isRefused, token.isFresh(at: now) { return credential(token, at: now) }
        let isGood = !isRefused && token.expires.map { $0 - now > 10 } ?? true
        guard let refreshToken = token.refreshToken, let client = client(of: token) else {
            if isGood { return credential(token, at: now) }
            throw isRefused ? try await loss(of: caller, in: store) : .signInNeeded(upstream: upstream)
        }
        return try await renewed(token, refreshToken, as: client, isGood: isGood, of: caller, in: store)
    }

    func giveUp(_ refused: [UInt8], for caller: Caller) async throws(CredentialFailure) {
        guard let store = services.store, let token = try await store.signInToken(of: caller.identity, upstream),
            credential(token, at: services.date()).lines == refused
        else { return }
        throw try await loss(of: caller, in: store)
    }

    /// Forgets a token that is worth nothing; what the user needs now.
    private func loss(of caller: Caller, in store: TokenStore) async throws(CredentialFailure) -> CredentialFailure {
        Log(upstream).info("what \(caller) was given is no longer good; they have to sign in anew")
        try await store.forgetSignIn(of: caller.identity, upstream)
        services.losses.note(upstream, at: services.now())
        return .signInNeeded(upstream: upstream)
    }

    /// Whether it was asked for where people sign in now, with no more than is configured now but for what the upstream wanted besides.
    private func isWanted(_ token: SignInToken) -> Bool {
        if case .issuer(let issuer) = definition.server, token.issuer != issuer { return false }
        return definition.scopes.isEmpty || Set(token.configuredScopes).isSubset(of: definition.scopes)
    }

    private func renewed(
        _ token: SignInToken, _ refreshToken: Secret, as client: OAuthClientDefinition, isGood: Bool, of caller: Caller,
        in store: TokenStore
    ) async throws(CredentialFailure) -> IssuedCredential {
        var parameters = [("grant_type", "refresh_token"), ("refresh_token", refreshToken.reveal())]
        if let resource = token.resource { parameters.append(("resource", resource)) }
        // The address was checked when the user signed in, and came out of our own store.
        let endpoint = TokenEndpoint(client: client, source: source(of: token), services: services)
        switch try await endpoint.exchange(parameters, secrets: [refreshToken]) {
        case .success(let grant):
            var fresh = token
            fresh.take(grant.response, at: services.date())
            // Kept before it is used: the old refresh token may be worth nothing any more.
            try await store.save(fresh, of: caller.identity, upstream)
            return credential(fresh, at: services.date(), sources: grant.sources)
        case .failure(let failure) where failure.code == "invalid_grant":
            throw try await loss(of: caller, in: store)
        case .failure(let failure):
            if isGood { return credential(token, at: services.date()) }
            if await hasMoved(from: token.issuer) { throw try await loss(of: caller, in: store) }
            throw .exchangeFailed("\(token.tokenEndpoint) does not renew a token: \(failure)")
        }
    }

    /// Whether the upstream sends its users to another server by now: the one before may be gone for good.
    private func hasMoved(from issuer: String?) async -> Bool {
        guard case .discovered = definition.server, let issuer else { return false }
        let servers = await SignInDiscovery(definition: definition, address: address, fetch: services.fetch).issuers()
        return !servers.isEmpty && !servers.contains { $0.utf8.elementsEqual(issuer.utf8) }
    }

    /// Who we were when the user signed in; nil where the configuration says by now that we are somebody else.
    private func client(of token: SignInToken) -> OAuthClientDefinition? {
        guard let configured = definition.client else {
            let id = SecretReference(literal: token.clientID)
            return OAuthClientDefinition(
                tokenURL: token.tokenEndpoint, clientID: id, authentication: token.issuedSecret.map { .issued($0) } ?? .none)
        }
        guard let id = try? configured.id.resolve(environment: services.environment).reveal(), id == token.clientID else { return nil }
        // As it was when they signed in.
        let methods = token.isBasic.map { [$0 ? "client_secret_basic" : "client_secret_post"] } ?? []
        return OAuthClientDefinition(
            tokenURL: token.tokenEndpoint, clientID: configured.id, authentication: configured.authentication.fitting(methods),
            issuer: token.issuer)
    }

    private func source(of token: SignInToken) -> FetchRequest.Source {
        let endpoint = HTTPAddress(token.tokenEndpoint)?.origin
        var configured = [HTTPAddress(address)?.origin]
        switch definition.server {
        case .discovered: break
        case .issuer(let issuer): configured.append(HTTPAddress(issuer)?.origin)
        case .provider(let provider): configured.append(HTTPAddress(provider.server.tokenEndpoint)?.origin)
        case .endpoints(_, let token): configured.append(HTTPAddress(token)?.origin)
        }
        return configured.contains(endpoint) ? .configured : .discovered
    }

    private func credential(_ token: SignInToken, at now: Int, sources: [Secret] = []) -> IssuedCredential {
        .bearer(token.accessToken, life: token.life(at: now), sources: sources + (token.refreshToken.map { [$0] } ?? []))
    }
}
