/// The gateway's own token, the same for every caller (RFC 6749 §4.4).
struct ClientCredentialsGrant: CredentialGrant {
    private let client: OAuthClientDefinition
    private let demand: TokenDemand
    private let endpoint: TokenEndpoint

    /// `upstream` is the upstream's address.
    init(client: OAuthClientDefinition, demand: TokenDemand, upstream: String, services: CredentialServices) {
        self.client = client
        self.demand = demand
        endpoint = TokenEndpoint(client: client, upstream: upstream, services: services)
    }

    var references: [SecretReference] { client.references }

    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential {
        let grant = try await endpoint.request([("grant_type", "client_credentials")] + demand.parameters)
        return .bearer(grant.response.accessToken, life: grant.response.life, sources: grant.sources)
    }
}
