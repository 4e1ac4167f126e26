import Auth
import JSON
import MCPProtocol
import Network

extension HTTPFront {
    /// OAuth 2.0 protected resource metadata (RFC 9728 §2): who issues tokens for a virtual server. Public, also to pages of any origin.
    ///
    /// `resource` is the address that the client was given, so that it can compare (RFC 9728 §3.3). 404 where nobody issues tokens.
    func answerMetadata(_ exchange: HTTPExchange, of path: String) {
        let request = exchange.request
        let fields = [("Access-Control-Allow-Origin", "*")]
        if request.method == .options {
            let asked = request.headers["access-control-request-headers"] ?? "mcp-protocol-version"
            let allowed = [("Access-Control-Allow-Methods", "GET"), ("Access-Control-Allow-Headers", asked), ("Access-Control-Max-Age", "600")]
            return exchange.respond(204, contentType: nil, fields: fields + allowed)
        }
        guard request.method == .get || request.method == .head else {
            return exchange.respondText(405, "use GET here", fields: fields + [("Allow", "GET")])
        }
        let identity = service.identity.settings
        let path = settings.withoutPublicPath(path)
        var description: ServerDescription?
        if !path.isEmpty {
            description =
                switch HTTPRoute(path) {
                case .mcp(let name), .sse(let name): service.server(named: name).flatMap(service.describe)
                default: nil
                }
        }
        guard !identity.issuers.isEmpty, path.isEmpty || description != nil else {
            return exchange.respondText(404, "there is no such metadata", fields: fields)
        }
        var metadata: JSONValue = [
            "resource": .string(settings.base(of: request) + path),
            "authorization_servers": .array(identity.issuers.map { .string($0.issuer) }),
            "bearer_methods_supported": ["header"],
            "resource_name": .string(description.map { $0.title ?? $0.name } ?? Product.name),
        ]
        if !identity.allScopes.isEmpty { metadata["scopes_supported"] = .array(identity.allScopes.map { .string($0) }) }
        exchange.respond(200, contentType: "application/json", fields: fields, body: metadata.bytes)
    }
}
