import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Recognises callers: by API key, token or certificate, or lets them in unrecognised. One for each configuration.
package final class Identity: Sendable {
    package let settings: IdentitySettings
    private let keys: Mutex<APIKeyRing>
    private let issuers: [String: TokenIssuer]
    private let memory: TokenMemory
    private let now: @Sendable () -> Int

    /// `fetch` is how issuers' metadata and keys are read; `clock` tells seconds since 1970.
    ///
    /// What `old`, the one of the configuration before, knows of issuers that stay the same is taken over.
    package init(
        _ settings: IdentitySettings, fetch: @escaping Fetch, succeeding old: Identity? = nil, clock: @escaping @Sendable () -> Int = { time(nil) }
    ) {
        self.settings = settings
        keys = Mutex(APIKeyRing(settings.keys))
        let made = settings.issuers.map { TokenIssuer($0, fetch: fetch, succeeding: old?.issuers[$0.issuer], clock: clock) }
        issuers = Dictionary(made.map { ($0.settings.issuer, $0) }) { first, _ in first }
        memory = old?.memory ?? TokenMemory()
        now = clock
    }

    /// The caller, where telling takes no waiting: a key, a certificate, nothing at all, or a token that was verified before.
    ///
    /// Nil means no more than to ask `identify`.
    package func remembered(_ presented: Presented) -> Caller? {
        guard let outcome = try? look(at: presented) else { return nil }
        switch outcome {
        case .caller(let caller): return caller
        case .token(let token): return remembered(SHA256Digest(of: token), at: presented.resource)
        }
    }

    /// The caller; may wait for an issuer's keys.
    package func identify(_ presented: Presented) async throws(IdentityRefusal) -> Caller {
        switch try look(at: presented) {
        case .caller(let caller): return caller
        case .token(let text): return try await caller(token: text, at: presented.resource)
        }
    }

    /// Whether what `caller` came with would still let them in: for streams that outlive the request which opened them.
    package func isStillGood(_ caller: Caller) -> Bool {
        switch caller.proof {
        case .none: settings.anonymous
        case .login, .assumed: true
        case .key(let id): keys.withLock { $0.isStillGood(caller, id: id, at: now()) }
        case .certificate(_, let expires): settings.certificates && now() < expires
        case .token(let issuer): issuers[issuer]?.isStillGood(caller) ?? false
        }
    }

    /// Replaces the keys while all else stays, so that a revoked key ends even where the rest of the configuration can't be read now.
    package func use(_ keys: [APIKey]) { self.keys.withLock { $0 = APIKeyRing(keys) } }

    /// Reads the keys of issuers again where it is time to; call it once a second, so that no caller has to wait for it.
    package func keepKeysFresh() async {
        for issuer in issuers.values { await issuer.keepKeysFresh() }
    }

    private enum Look {
        case caller(Caller)
        case token(String)
    }

    private func look(at presented: Presented) throws(IdentityRefusal) -> Look {
        // Where callers have no way to prove anything, whatever they send along says nothing.
        guard settings.isConfigured else { return .caller(.anonymous) }
        guard presented.authorization == nil || presented.apiKey == nil else { throw .invalid("both Authorization and X-API-Key") }
        if let key = presented.apiKey { return .caller(try caller(key: key)) }
        if let field = presented.authorization {
            guard let token = Self.bearer(field) else { throw .invalid("an Authorization that is not Bearer") }
            if token.utf8.starts(with: APIKeyText.prefix.utf8) { return .caller(try caller(key: token)) }
            return .token(token)
        }
        if let certificate = presented.certificate, settings.certificates { return .caller(try Caller(certificate)) }
        guard settings.anonymous else { throw .missing }
        return .caller(.anonymous)
    }

    private func remembered(_ digest: SHA256Digest, at resource: String?) -> Caller? {
        guard let known = memory.caller(of: digest) else { return nil }
        if isStillGood(known.caller), case .token(let issuer) = known.caller.proof, issuers[issuer]?.term === known.term {
            return known.caller.token?.isFor(resource) == true ? known.caller : nil
        }
        memory.forget(digest)
        return nil
    }

    private func caller(token text: String, at resource: String?) async throws(IdentityRefusal) -> Caller {
        guard !issuers.isEmpty else { throw .invalid("something that is no API key, and no issuer of tokens is configured") }
        let token = try JSONWebToken(text)
        let digest = SHA256Digest(of: text)
        if let caller = remembered(digest, at: resource) { return caller }
        // Not proven yet, only where to look: the signature must be by this issuer's key.
        guard let name = token.claims["iss"]?.string, let issuer = issuers[name], isSame(name, issuer.settings.issuer) else {
            throw .invalid("a token of an unknown issuer (`iss`)")
        }
        let caller = try await issuer.caller(presenting: token, text, at: resource)
        let expires = (caller.token?.expires ?? 0) + TokenClaims.skew
        memory.remember(caller, of: digest, term: issuer.term, until: expires, now: now())
        return caller
    }

    private func caller(key: String) throws(IdentityRefusal) -> Caller {
        guard settings.keysFile != nil else { throw .invalid("an API key, and no keys_file is configured") }
        let ring = keys.withLock { $0 }
        return try ring.caller(presenting: key, at: now())
    }

    /// What follows `Bearer`, in whatever case (RFC 6750 §2.1, RFC 9110 §11.1).
    private static func bearer(_ field: String) -> String? {
        let bytes = field.utf8
        guard bytes.count > 7, bytes.prefix(6).elementsEqual("bearer".utf8, by: { $0 | 0x20 == $1 }), bytes.dropFirst(6).first == 0x20 else {
            return nil
        }
        let token = bytes.dropFirst(7).drop { $0 == 0x20 }
        return token.isEmpty ? nil : String(Substring(token))
    }
}
