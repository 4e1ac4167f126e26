import Diagnostics

/// Who is let in, as written under `identity:`.
package struct IdentitySettings: Hashable, Sendable {
    /// What `anonymous:` says; nil where it says nothing.
    package var anonymousAsWritten: Bool?
    /// From the root; nil where none is named.
    package var keysFile: String?
    /// What the keys file holds.
    package var keys: [APIKey]
    package var issuers: [IssuerSettings]
    /// Where each issuer stands, by its name.
    package var issuerPositions: [String: SourcePosition] = [:]
    /// Whether TLS asks for client certificates (`tls.client_ca`), which then prove who calls.
    package var certificates: Bool

    package init(
        anonymous: Bool? = nil, keysFile: String? = nil, keys: [APIKey] = [], issuers: [IssuerSettings] = [], certificates: Bool = false
    ) {
        anonymousAsWritten = anonymous
        self.keysFile = keysFile
        self.keys = keys
        self.issuers = issuers
        self.certificates = certificates
    }

    /// Whether callers can prove who they are.
    package var isConfigured: Bool { keysFile != nil || !issuers.isEmpty || certificates }

    /// Whether a caller who presents nothing is let in: where nothing is configured, or where it says so.
    package var anonymous: Bool { anonymousAsWritten ?? !isConfigured }
}

/// An issuer of tokens, as written under `identity.issuers`.
package struct IssuerSettings: Hashable, Sendable {
    /// Exactly what `iss` must be.
    package var issuer: String
    /// One of them must be in `aud`.
    package var audiences: [String]
    /// Where its keys are; nil to discover it.
    package var jwksURL: String?
    package var algorithms: [SignatureAlgorithm]
    package var claims: ClaimNames
    /// What its tokens must all have in `scope`.
    package var scopes: [String]

    package init(
        issuer: String, audiences: [String], jwksURL: String? = nil, algorithms: [SignatureAlgorithm] = SignatureAlgorithm.standard,
        claims: ClaimNames = ClaimNames(), scopes: [String] = []
    ) {
        self.issuer = issuer
        self.audiences = audiences
        self.jwksURL = jwksURL
        self.algorithms = algorithms
        self.claims = claims
        self.scopes = scopes
    }
}

/// Which claims say who the caller is; a name may be a path with dots, such as `realm_access.roles`.
package struct ClaimNames: Hashable, Sendable {
    package var user: String
    package var groups: String
    /// Tried in order.
    package var client: [String]

    package init(user: String = "sub", groups: String = "groups", client: [String] = ["azp", "client_id"]) {
        self.user = user
        self.groups = groups
        self.client = client
    }
}
