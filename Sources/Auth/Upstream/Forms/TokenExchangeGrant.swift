/// The caller's token exchanged for one of the upstream's (RFC 8693 §2.1).
struct TokenExchangeGrant: CredentialGrant {
    private static let accessTokenType = "urn:ietf:params:oauth:token-type:access_token"

    private let client: OAuthClientDefinition
    private let demand: TokenDemand
    private let services: CredentialServices
    private let endpoint: TokenEndpoint

    /// `upstream` is the upstream's address.
    init(client: OAuthClientDefinition, demand: TokenDemand, upstream: String, services: CredentialServices) {
        self.client = client
        self.demand = demand
        self.services = services
        endpoint = TokenEndpoint(client: client, upstream: upstream, services: services)
    }

    var dependsOnCaller: Bool { true }
    var dependsOnToken: Bool { true }
    var references: [SecretReference] { client.references }

    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential {
        guard let token = caller.token else { throw .tokenNeeded("\(caller) brought no token that could be exchanged") }
        let left = token.expires - services.date()
        guard left > 0 else { throw .tokenNeeded("the token of \(caller) has expired") }
        let grant = try await endpoint.request(
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", token.value.reveal()),
                ("subject_token_type", Self.accessTokenType), ("requested_token_type", Self.accessTokenType),
            ] + demand.parameters, secrets: [token.value])
        let response = grant.response
        // A server that hands back what it was given would have us pass the caller's token through.
        guard response.accessToken.reveal() != token.value.reveal() else {
            throw .exchangeFailed("\(client.tokenURL) gives no token: it answers with the caller's own, which never goes upstream")
        }
        return .bearer(response.accessToken, life: min(response.life, .seconds(left)), sources: grant.sources + [token.value])
    }
}
