import JSON

/// The claims of a token, held against what an issuer's settings ask for.
struct TokenClaims {
    /// How far clocks may be apart, in seconds.
    static let skew = 60
    private static let groupsMax = 1_000
    private static let timeMax = 253_402_300_799.0

    let claims: JSONValue
    let settings: IssuerSettings

    /// `exp`, once the token is for us and of this moment (RFC 7519 §4.1); `bound` is `resource` where the token is for that alone.
    func check(at now: Int, for resource: String?) throws(IdentityRefusal) -> (expires: Int, bound: String?) {
        guard let audiences = strings(claims["aud"]) else { throw .invalid("a token for nobody (`aud`)") }
        let isForAll = audiences.contains { one in settings.audiences.contains { isSame(one, $0) } && !isOfOneServer(one, resource) }
        // Issuers that follow RFC 8707 name what the client asked for: the address of one virtual server.
        guard isForAll || resource.map({ resource in isOurs(resource) && audiences.contains { isSame($0, resource) } }) == true else {
            throw .invalid("a token for somebody else (`aud`)")
        }
        guard let expires = try time("exp") else { throw .invalid("a token without `exp`") }
        guard now < expires + Self.skew else { throw .invalid("a token that has expired") }
        if let start = try time("nbf"), start > now + Self.skew { throw .invalid("a token that is not good yet (`nbf`)") }
        if let issued = try time("iat"), issued > now + Self.skew { throw .invalid("a token from the future (`iat`)") }
        try checkKind()
        return (expires, isForAll ? nil : resource)
    }

    /// Whether an audience is the address of one virtual server: a token for it is good there and nowhere else, also where it is listed.
    private func isOfOneServer(_ audience: String, _ resource: String?) -> Bool {
        let slash = UInt8(ascii: "/")
        let parts = audience.utf8.split(separator: slash, omittingEmptySubsequences: false)
        // `https://HOST/SERVER/mcp` has five.
        guard parts.count > 4, audience.hasSuffix("/mcp") else { return false }
        guard let resource else { return true }
        let others = resource.utf8.split(separator: slash, omittingEmptySubsequences: false)
        return parts.dropLast(2).elementsEqual(others.dropLast(2)) { $0.elementsEqual($1) }
    }

    /// Whether an address is one of the audiences, or lies below it.
    private func isOurs(_ resource: String) -> Bool {
        settings.audiences.contains { audience in
            if isSame(audience, resource) { return true }
            let base = audience.hasSuffix("/") ? audience : audience + "/"
            return resource.utf8.starts(with: base.utf8)
        }
    }

    /// The caller that the claims name.
    func caller(_ token: BearerToken) throws(IdentityRefusal) -> Caller {
        var user = try name(settings.claims.user)
        var client: String?
        for claim in settings.claims.client where client == nil { client = try name(claim) }
        // A client's own token has the client as its subject (RFC 9068 §2.2); it must not pass for a user of that name (RFC 9700 §4.15).
        if settings.claims.user == "sub", let subject = user, let client, isSame(subject, client) { user = nil }
        if user == nil, client == nil { throw .invalid("a token that names neither a user (`\(settings.claims.user)`) nor a client") }
        return Caller(
            .token(issuer: settings.issuer), user: user, client: client, groups: try groups(), scopes: scopes(), token: token)
    }

    /// What stays the same from one token to the next where nothing else changes.
    var content: SHA256Digest {
        let rest = (claims.members ?? []).filter { !Self.ownOfEachToken.contains($0.key) }
        return JSONValue.object(rest).bytes.withUnsafeBytes { SHA256Digest(of: $0) }
    }

    private static let ownOfEachToken: Set = ["exp", "iat", "nbf", "jti", "auth_time", "sid", "session_state", "uti", "rh", "aio"]

    /// Refuses ID tokens and others that the same key signs and that are not for calling with, where they can be told.
    private func checkKind() throws(IdentityRefusal) {
        for name in ["at_hash", "c_hash", "events"] where claims[name] != nil { throw .invalid("a token with `\(name)`, which is no access token") }
        for name in ["typ", "token_use"] {
            guard let kind = claims[name]?.string?.lowercased(), ["id", "refresh", "offline", "logout"].contains(kind) else { continue }
            throw .invalid("a token of the type \(kind), which is no access token")
        }
        // Whoever has stolen it could use it, if it were taken without the proof that it asks for (RFC 7800 §3.1, RFC 9449).
        if let proof = claims["cnf"], proof != .null { throw .invalid("a token that is bound to a key (`cnf`), which can't be checked here") }
    }

    private func time(_ name: String) throws(IdentityRefusal) -> Int? {
        guard let value = claims[name] else { return nil }
        guard let seconds = value.double, (0...Self.timeMax).contains(seconds) else { throw .invalid("a token whose `\(name)` is no time") }
        return Int(seconds)
    }

    private func name(_ claim: String) throws(IdentityRefusal) -> String? {
        guard let value = value(claim), value != .null else { return nil }
        guard let text = value.string, CallerName.isFit(text) else { throw .invalid("a token whose `\(claim)` is no name") }
        return text
    }

    /// A list, or words with blanks between them. What is neither is refused: a rule that denies a group must not be passed by a form unknown to it.
    private func groups() throws(IdentityRefusal) -> Set<GroupName> {
        let claim = settings.claims.groups
        if claims["_claim_names"]?[claim] != nil { throw .invalid("a token that names its groups elsewhere (`_claim_names`)") }
        guard let value = value(claim), value != .null else { return [] }
        guard let names = value.array != nil ? strings(value) : words(value), names.count <= Self.groupsMax, names.allSatisfy(CallerName.isFit) else {
            throw .invalid("a token whose `\(claim)` is no list of at most \(Self.groupsMax) names")
        }
        return Set(names.map { GroupName($0) })
    }

    /// `scope` with blanks (RFC 8693 §4.2), or `scp`, with blanks or as a list.
    private func scopes() -> Set<String> {
        Set(words(claims["scope"]) ?? strings(claims["scope"]) ?? words(claims["scp"]) ?? strings(claims["scp"]) ?? [])
    }

    private func words(_ value: JSONValue?) -> [String]? { value?.string?.split(separator: " ").map(String.init) }

    /// The elements of a list of texts, or a text by itself.
    private func strings(_ value: JSONValue?) -> [String]? {
        if let text = value?.string { return [text] }
        guard let elements = value?.array else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }

    /// The claim of that whole name, else what the path with dots leads to.
    private func value(_ path: String) -> JSONValue? {
        if let value = claims[path] { return value }
        var value: JSONValue? = claims
        for name in path.split(separator: ".") { value = value?[String(name)] }
        return value
    }
}

/// Byte for byte: `==` takes different spellings of a character for one.
func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
