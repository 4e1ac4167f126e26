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
        let old = old?.settings == settings ? old : nil
        term = old?.term ?? Term()
        keys = IssuerKeys(settings, fetch: fetch, succeeding: old?.keys, clock: clock)
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
        return try claims.caller(text, expires: expires, signer: signer.thumbprint, resource: bound)
    }

    /// Whether a token that was verified before still holds.
    func isStillGood(_ token: BearerToken) -> Bool {
        guard now() < token.expires + TokenClaims.skew, let set = keys.current else { return false }
        return token.signer.map(set.contains) ?? true
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
