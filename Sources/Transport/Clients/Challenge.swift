import Auth
import Network

/// What `WWW-Authenticate` says to a caller who is not let in (RFC 6750 §3, RFC 9728 §5.1; MCP 2026-07-28 basic/authorization).
struct Challenge {
    private let identity: IdentitySettings
    /// The address of the metadata; nil where nobody issues tokens for us.
    private let metadata: String?

    init(_ request: HTTPRequest, _ route: HTTPRoute, _ identity: IdentitySettings, _ settings: HTTPFrontSettings) {
        self.identity = identity
        metadata =
            identity.issuers.isEmpty
            ? nil : route.resourcePath.map { settings.base(of: request) + HTTPRoute.metadataPath(of: $0) }
    }

    /// The header field. Scopes are named where the configuration wants some, those of the caller's issuer if it is known.
    func field(error: StaticString? = nil, for caller: Caller? = nil) -> (String, String) {
        var parts: [String] = []
        if let error { parts.append("error=\"\(error)\"") }
        let scopes = caller.map(identity.scopes) ?? identity.allScopes
        if !scopes.isEmpty { parts.append("scope=\"\(scopes.joined(separator: " "))\"") }
        if let metadata { parts.append("resource_metadata=\"\(metadata)\"") }
        // A challenge has at least one parameter (RFC 6750 §3).
        if parts.isEmpty { parts.append("realm=\"switchboard\"") }
        return ("WWW-Authenticate", "Bearer " + parts.joined(separator: ", "))
    }
}

extension IdentitySettings {
    /// The scopes that the caller's token must have; none for keys and certificates.
    func scopes(for caller: Caller) -> [String] {
        guard case .token(let issuer) = caller.proof else { return [] }
        return issuers.first { $0.issuer == issuer }?.scopes ?? []
    }

    func suffices(_ caller: Caller) -> Bool { scopes(for: caller).allSatisfy(caller.scopes.contains) }

    /// What any of the issuers wants, each once.
    var allScopes: [String] {
        var all: [String] = []
        for scope in issuers.flatMap(\.scopes) where !all.contains(scope) { all.append(scope) }
        return all
    }
}
