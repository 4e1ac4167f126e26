import JSON

/// Where users sign in, as its metadata or the configuration says (RFC 8414 §2).
struct AuthorizationServer: Hashable, Sendable {
    struct Parameter: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// Nil where there is no metadata.
    let issuer: String?
    let authorizationEndpoint: String
    let tokenEndpoint: String
    let registrationEndpoint: String?
    /// Whether every answer names the issuer (RFC 9207 §3).
    let sendsIssuer: Bool
    /// Whether it reads client-id metadata documents.
    let readsClientDocuments: Bool
    /// How clients may prove themselves at the token endpoint; nil where it does not say.
    let tokenMethods: [String]?
    let scopes: [String]
    /// What it wants besides in the authorization request.
    let parameters: [Parameter]

    init(
        issuer: String?, authorizationEndpoint: String, tokenEndpoint: String, registrationEndpoint: String? = nil,
        parameters: [(String, String)] = []
    ) {
        self.issuer = issuer
        self.authorizationEndpoint = authorizationEndpoint
        self.tokenEndpoint = tokenEndpoint
        self.registrationEndpoint = registrationEndpoint
        sendsIssuer = false
        readsClientDocuments = false
        tokenMethods = nil
        scopes = []
        self.parameters = parameters.map { Parameter(name: $0.0, value: $0.1) }
    }

    /// The default addresses of a server without metadata (MCP 2025-03-26 basic/authorization, "Fallbacks for Servers without Metadata Discovery").
    init(at origin: String) {
        self.init(
            issuer: nil, authorizationEndpoint: origin + "/authorize", tokenEndpoint: origin + "/token", registrationEndpoint: origin + "/register")
    }

    /// Throws where the document is another issuer's (mix-up), where PKCE is not offered, or an endpoint is missing or unfit.
    init(parsing body: [UInt8], of issuer: String) throws(FetchFailure) {
        guard let json = try? JSONValue(parsing: body, depthMax: 32), json.members != nil else {
            throw FetchFailure("its metadata is no JSON object")
        }
        guard let name = json["issuer"]?.string, name.utf8.elementsEqual(issuer.utf8) else { throw FetchFailure("its metadata is of another issuer") }
        // Without PKCE whoever sees the code could redeem it (MCP 2026-07-28 basic/authorization, "Authorization Code Protection").
        guard json["code_challenge_methods_supported"]?.array?.contains("S256") == true else {
            throw FetchFailure("its metadata does not offer PKCE with S256, without which nobody may sign in")
        }
        if let types = json["response_types_supported"]?.array, !types.contains("code") { throw FetchFailure("it gives no authorization codes") }
        self.issuer = issuer
        authorizationEndpoint = try Self.endpoint("authorization_endpoint", in: json)
        tokenEndpoint = try Self.endpoint("token_endpoint", in: json)
        registrationEndpoint = json["registration_endpoint"] == nil ? nil : try Self.endpoint("registration_endpoint", in: json)
        sendsIssuer = json["authorization_response_iss_parameter_supported"]?.bool ?? false
        readsClientDocuments = json["client_id_metadata_document_supported"]?.bool ?? false
        tokenMethods = json["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
        scopes = json["scopes_supported"]?.array?.compactMap(\.string) ?? []
        parameters = []
    }

    /// What its clients are kept under, and shown to nobody else.
    var name: String { issuer ?? tokenEndpoint }

    /// The host that a person sees in the browser's address.
    var host: String { HTTPAddress(authorizationEndpoint)?.origin ?? "" }

    /// A browser is sent there: `javascript:` and the like must not get through.
    private static func endpoint(_ name: String, in json: JSONValue) throws(FetchFailure) -> String {
        guard let text = json[name]?.string, let address = HTTPAddress(text), address.isSafe else {
            throw FetchFailure("its `\(name)` is missing or no https address")
        }
        return text
    }
}
