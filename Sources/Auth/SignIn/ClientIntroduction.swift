import JSON
import MCPProtocol

/// How the gateway becomes known to an authorization server: registered beforehand, by a document that it serves, or by registering now
/// (MCP 2026-07-28 basic/authorization/client-registration, in this order).
struct ClientIntroduction: Sendable {
    private static let bytesMax = 64 * 1024

    let definition: SignInDefinition
    let site: SignInSite
    let upstream: String
    /// The upstream's own.
    let address: String
    let services: CredentialServices

    /// Who we are at that server. Throws a text for the log.
    func client(for plan: SignInPlan) async throws(CredentialFailure) -> OAuthClientDefinition {
        let server = plan.server
        if let client = definition.client {
            try await checkHome(of: client.id, server)
            let authentication = server.issuer == nil ? client.authentication : client.authentication.fitting(server.tokenMethods)
            return OAuthClientDefinition(
                tokenURL: server.tokenEndpoint, clientID: client.id, authentication: authentication, issuer: server.issuer)
        }
        if server.readsClientDocuments, let document = site.clientDocument(of: upstream) {
            return OAuthClientDefinition(tokenURL: server.tokenEndpoint, clientID: SecretReference(literal: document), authentication: .none)
        }
        guard let endpoint = server.registrationEndpoint else {
            throw .unresolved("\(server.issuer ?? server.host) lets nobody register: register the gateway there by hand and write `client_id`")
        }
        // Under the server's name: what one gave out is shown to no other.
        if let known = try await services.store?.registration(at: server.name, for: site.redirect), known.isUsable(at: services.date()) {
            return known.definition(tokenURL: server.tokenEndpoint)
        }
        let client = try await register(at: endpoint, plan)
        try await services.store?.save(client, at: server.name, for: site.redirect)
        return client.definition(tokenURL: server.tokenEndpoint)
    }

    /// An upstream that names another server than before must not have it shown a client that somebody registered elsewhere
    /// (MCP 2026-07-28 basic/authorization/client-registration, "Authorization Server Binding").
    private func checkHome(of client: SecretReference, _ server: AuthorizationServer) async throws(CredentialFailure) {
        guard case .discovered = definition.server, let id = try? client.resolve(environment: services.environment).reveal(),
            let home = try await services.store?.home(of: id, for: address), !home.utf8.elementsEqual(server.name.utf8)
        else { return }
        throw .unresolved(
            "\(upstream) names \(server.name) as its authorization server, but `client_id` was registered at \(home); "
                + "if it is known there too, write `issuer: \(server.name)`")
    }

    private func register(at endpoint: String, _ plan: SignInPlan) async throws(CredentialFailure) -> RegisteredClient {
        let methods = plan.server.tokenMethods ?? ["client_secret_basic"]
        let method = ["none", "client_secret_basic", "client_secret_post"].first(where: methods.contains) ?? "client_secret_basic"
        var metadata = site.metadata(method: method)
        if !plan.scopes.isEmpty { metadata["scope"] = .string(plan.scopes.joined(separator: " ")) }
        var request = FetchRequest(post: metadata.bytes, as: "application/json", to: endpoint, plan.source(of: endpoint))
        request.bytesMax = Self.bytesMax
        let response: FetchResponse
        do {
            response = try await services.fetch(request)
        } catch {
            throw .exchangeFailed("\(endpoint) registers nobody: \(error)")
        }
        guard response.status == 201 || response.status == 200, let client = RegisteredClient(parsing: response.body) else {
            let failure = TokenFailure(status: response.status, body: response.body, redaction: Redaction())
            throw .exchangeFailed("\(endpoint) does not register the gateway: \(failure)")
        }
        return client
    }
}
