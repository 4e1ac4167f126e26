/// The gateway's own token, the same for every caller (RFC 6749 §4.4).
struct ClientCredentialsGrant: CredentialGrant {
    let client: OAuthClientDefinition
    let demand: TokenDemand
    let services: CredentialServices

    var references: [SecretReference] { client.references }

    func issue(for caller: Caller, isForced: Bool) async throws(CredentialFailure) -> IssuedCredential {
        let endpoint = TokenEndpoint(client: client, services: services)
        let grant = try await endpoint.request([("grant_type", "client_credentials")] + demand.parameters)
        return .bearer(grant.response.accessToken, life: grant.response.life, sources: grant.sources)
    }
}
