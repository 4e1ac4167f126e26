import JSON

/// A user's token for one upstream as it is kept, with what renewing it takes: a refresh token goes to nobody but who gave it.
struct SignInToken: Sendable {
    var accessToken: Secret
    var refreshToken: Secret?
    /// Seconds since 1970; `expires` is nil where the server does not say.
    var issued: Int
    var expires: Int?
    /// As granted, and as asked for.
    var scopes: [String]
    var askedScopes: [String]
    /// Those of them that the configuration named.
    var configuredScopes: [String] = []
    /// The upstream's address: the token goes nowhere else.
    var address: String
    var issuer: String?
    var tokenEndpoint: String
    var resource: String?
    var clientID: String
    /// Whether our own secret goes in `Authorization: Basic`; nil where that is to be found out.
    var isBasic: Bool?
    /// Where the server gave us one.
    var issuedSecret: IssuedSecret?

    /// Whether it is good enough not to be renewed now: for three quarters of its life.
    func isFresh(at now: Int) -> Bool {
        guard let expires else { return true }
        return (expires - now) * 4 > expires - issued && expires - now > 5
    }

    /// How long it is still good; nil where that is unknown.
    func life(at now: Int) -> Duration? { expires.map { .seconds(max($0 - now, 0)) } }
}

extension SignInToken {
    init?(parsing bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes, depthMax: 8), let access = json["access_token"]?.string, let issued = json["issued"]?.integer,
            let address = json["address"]?.string, let endpoint = json["token_endpoint"]?.string, let client = json["client_id"]?.string
        else { return nil }
        accessToken = Secret(access)
        refreshToken = json["refresh_token"]?.string.map(Secret.init)
        self.issued = issued
        expires = json["expires"]?.integer
        scopes = json["scopes"]?.array?.compactMap(\.string) ?? []
        askedScopes = json["asked"]?.array?.compactMap(\.string) ?? []
        configuredScopes = json["configured"]?.array?.compactMap(\.string) ?? []
        self.address = address
        issuer = json["issuer"]?.string
        tokenEndpoint = endpoint
        resource = json["resource"]?.string
        clientID = client
        isBasic = json["own_basic"]?.bool
        issuedSecret = json["client_secret"]?.string.map { IssuedSecret($0, isBasic: json["client_basic"]?.bool ?? false) }
    }

    var bytes: [UInt8] {
        var json: JSONValue = [
            "access_token": .string(accessToken.reveal()), "issued": .number(String(issued)), "address": .string(address),
            "token_endpoint": .string(tokenEndpoint), "client_id": .string(clientID), "scopes": .array(scopes.map { .string($0) }),
            "asked": .array(askedScopes.map { .string($0) }),
        ]
        if !configuredScopes.isEmpty { json["configured"] = .array(configuredScopes.map { .string($0) }) }
        json["refresh_token"] = refreshToken.map { .string($0.reveal()) }
        json["expires"] = expires.map { .number(String($0)) }
        json["issuer"] = issuer.map { .string($0) }
        json["resource"] = resource.map { .string($0) }
        json["own_basic"] = isBasic.map { .bool($0) }
        if let issuedSecret {
            json["client_secret"] = .string(issuedSecret.value.reveal())
            json["client_basic"] = .bool(issuedSecret.isBasic)
        }
        return json.bytes
    }

    /// What a token endpoint granted.
    mutating func take(_ response: TokenResponse, at now: Int) {
        accessToken = response.accessToken
        // Rotation: the old one may be used up by now (OAuth 2.1 §4.3.1).
        if let fresh = response.refreshToken { refreshToken = fresh }
        issued = now
        expires = response.isLifeStated ? now + Int(response.life.components.seconds) : nil
        if let granted = response.scopes { scopes = granted }
    }
}
