/// One issuer: verifies its tokens.
final class TokenIssuer: Sendable {
    /// The same for as long as the issuer's settings are, from one configuration to the next.
    final class Term: Sendable {}

    let settings: IssuerSettings
    let term: Term
    private let keys: IssuerKeys
    private let now: @Sendable () -> Int

    init(_ settings: IssuerSettings, fetch: @escaping Fetch, succeeding old: TokenIssuer?, clock: @escaping @Sendable () -> Int) {
        self.settings = settings
        term = old?.settings == settings ? old?.term ?? Term() : Term()
        keys = old?.keys.continued(for: settings, fetch: fetch) ?? IssuerKeys(settings, fetch: fetch, clock: clock)
        now = clock
    }

    /// The caller that `token` proves; may wait for keys.
    func caller(presenting token: JSONWebToken, _ text: String, at resource: String?) async throws(IdentityRefusal) -> Caller {
        guard settings.algorithms.contains(token.algorithm) else {
            throw .invalid("a token signed by \(token.algorithm.rawValue), which is not allowed")
        }
        let claims = TokenClaims(claims: token.claims, settings: settings)
        let (expires, bound) = try claims.check(at: now(), for: resource)
        let signer = try await signer(of: token)
        return try claims.caller(
            BearerToken(value: Secret(text), expires: expires, signer: signer.thumbprint, resource: bound, content: claims.content, term: term))
    }

    /// Whether a token that was verified before still makes its bearer this caller.
    func isStillGood(_ caller: Caller) -> Bool {
        guard let token = caller.token, now() < token.expires + TokenClaims.skew, let set = keys.current else { return false }
        guard token.signer.map(set.contains) ?? true else { return false }
        return token.term === term || isSameCaller(caller, token)
    }

    /// Its signature was verified under other settings: judges the rest by those of today.
    private func isSameCaller(_ caller: Caller, _ token: BearerToken) -> Bool {
        guard let parts = try? JSONWebToken(token.value.reveal()), settings.algorithms.contains(parts.algorithm) else { return false }
        let claims = TokenClaims(claims: parts.claims, settings: settings)
        guard let (_, bound) = try? claims.check(at: now(), for: token.resource), bound.map(token.isFor) ?? true,
            let now = try? claims.caller(token)
        else { return false }
        return now.identity == caller.identity && now.groups == caller.groups
    }

    /// Reads the keys again when it is time to.
    func keepKeysFresh() async {
        if keys.isDue { await keys.refresh() }
    }

    private func signer(of token: JSONWebToken) async throws(IdentityRefusal) -> VerificationKey {
        if let set = keys.current {
            if let signer = set.signer(of: token) { return signer }
            // A known key that did not sign it settles the matter.
            if let id = token.keyID, set.contains(keyID: id) { throw .invalid("a token whose signature is wrong") }
        }
        await keys.refresh()
        guard let set = keys.current else { throw .unavailable("the keys of \(settings.issuer) can't be had: \(keys.failure)") }
        guard let signer = set.signer(of: token) else {
            let isKnown = token.keyID.map(set.contains(keyID:)) ?? true
            throw .invalid(isKnown ? "a token whose signature is wrong" : "a token signed with an unknown key")
        }
        return signer
    }
}
