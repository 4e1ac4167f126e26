import JSON

/// Finds out where an upstream's users sign in (MCP 2026-07-28 basic/authorization/authorization-server-discovery; RFC 9728, RFC 8414).
struct SignInDiscovery: Sendable {
    private static let bytesMax = 256 * 1024
    private static let time = Duration.seconds(5)
    private static let scopesMax = 64

    let definition: SignInDefinition
    /// The upstream's own.
    let address: String
    let fetch: Fetch

    func plan() async throws(FetchFailure) -> SignInPlan {
        guard let upstream = HTTPAddress(address) else { throw FetchFailure("the upstream's address is none") }
        switch definition.server {
        case .provider(let provider): return fixed(provider.server)
        case .endpoints(let authorization, let token):
            return fixed(AuthorizationServer(issuer: nil, authorizationEndpoint: authorization, tokenEndpoint: token))
        case .issuer(let issuer):
            let origins = [upstream.origin, HTTPAddress(issuer)?.origin ?? ""]
            guard let server = try await server(issuer, .configured) else { throw noMetadata(of: issuer) }
            // The upstream may still say what it calls itself; where it says nothing, its address does.
            let found = try? await protectedResource(of: upstream)
            return plan(server, found, origins, upstream)
        case .discovered:
            let found = try await protectedResource(of: upstream)
            // 2025-03-26 had no such metadata: there the upstream is its own authorization server, and that need not have any either.
            let issuer = found.servers.first ?? upstream.origin
            let source = HTTPAddress(issuer)?.origin == upstream.origin ? FetchRequest.Source.configured : .discovered
            guard let server = try await server(issuer, source) ?? (found.name == nil ? AuthorizationServer(at: upstream.origin) : nil) else {
                throw noMetadata(of: issuer)
            }
            // A dishonest server could send people to an honest one's page and have the code come to itself (RFC 9700 §4.4.2).
            guard server.sendsIssuer || HTTPAddress(server.authorizationEndpoint)?.origin == HTTPAddress(issuer)?.origin else {
                let what = "\(issuer) sends people to \(server.host) and does not name itself in the answer (RFC 9207)"
                throw FetchFailure("\(what); write `issuer: \(issuer)` if it may")
            }
            return plan(server, found, [upstream.origin], upstream)
        }
    }

    private func fixed(_ server: AuthorizationServer) -> SignInPlan {
        let resource: String? = if case .named(let name) = definition.resource { name } else { nil }
        let origins = [server.authorizationEndpoint, server.tokenEndpoint].compactMap { HTTPAddress($0)?.origin }
        return SignInPlan(server: server, resource: resource, scopes: definition.scopes, configuredOrigins: Set(origins))
    }

    private func plan(_ server: AuthorizationServer, _ found: ProtectedResource?, _ origins: [String], _ upstream: HTTPAddress) -> SignInPlan {
        let resource: String? =
            switch definition.resource {
            case .automatic: found?.name ?? address
            case .named(let name): name
            case .none: nil
            }
        var scopes = definition.scopes
        if scopes.isEmpty {
            scopes = found.map { $0.wanted.isEmpty ? $0.supported : $0.wanted } ?? []
            // Without it many servers give no refresh token (MCP 2026-07-28 basic/authorization, "Refresh Tokens").
            if server.scopes.contains("offline_access"), !scopes.contains("offline_access") { scopes.append("offline_access") }
        }
        return SignInPlan(
            server: server, resource: resource, scopes: scopes.filter(isScope).prefix(Self.scopesMax).map(\.self),
            configuredOrigins: Set(origins))
    }

    // MARK: - The upstream

    struct ProtectedResource {
        var name: String?
        var servers: [String] = []
        /// By the challenge, and by the metadata.
        var wanted: [String] = []
        var supported: [String] = []
    }

    /// What it says of itself; empty where it says nothing. Throws where that can't be trusted.
    func protectedResource(of upstream: HTTPAddress) async throws(FetchFailure) -> ProtectedResource {
        var found = ProtectedResource()
        var places: [(address: String, source: FetchRequest.Source)] = []
        if let challenge = try await challenge() {
            found.wanted = challenge.scopes
            if let named = challenge.resourceMetadata {
                guard let place = HTTPAddress(named) else { throw FetchFailure("the upstream names metadata at what is no address") }
                places.append((named, place.origin == upstream.origin ? .configured : .discovered))
            }
        }
        if places.isEmpty {
            let wellKnown = upstream.origin + "/.well-known/oauth-protected-resource"
            let path = upstream.path == "/" ? "" : upstream.path
            places = (path.isEmpty ? [] : [(wellKnown + path, .configured)]) + [(wellKnown, .configured)]
        }
        for place in places {
            guard let body = try await document(place.address, place.source) else { continue }
            guard let json = try? JSONValue(parsing: body, depthMax: 32), json.members != nil else { continue }
            guard let name = json["resource"]?.string, let resource = HTTPAddress(name), isOver(upstream, resource) else {
                // It would have us ask for a token for somebody else (RFC 9728 §3.3).
                throw FetchFailure("the metadata at \(place.address) is of another resource")
            }
            found.name = name
            found.servers = json["authorization_servers"]?.array?.compactMap(\.string) ?? []
            found.supported = json["scopes_supported"]?.array?.compactMap(\.string) ?? []
            return found
        }
        return found
    }

    private func isOver(_ upstream: HTTPAddress, _ resource: HTTPAddress) -> Bool {
        guard resource.origin == upstream.origin else { return false }
        let path = resource.path.hasSuffix("/") ? String(resource.path.dropLast()) : resource.path
        return path.isEmpty || upstream.path == path || upstream.path.hasPrefix(path + "/")
    }

    /// What it asks of who comes without a token.
    private func challenge() async throws(FetchFailure) -> BearerChallenge? {
        var request = FetchRequest(post: Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8), as: "application/json", to: address, .configured)
        request.fields = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")]
        request.bytesMax = Self.bytesMax
        request.time = Self.time
        // Only the challenge matters: an answer that is too long or never ends is none.
        guard let response = try? await fetch(request), response.status == 401 else { return nil }
        return response.fields.lazy.filter { $0.name == "www-authenticate" }.compactMap { BearerChallenge($0.value) }.first
    }

    // MARK: - The authorization server

    private func noMetadata(of issuer: String) -> FetchFailure { FetchFailure("\(issuer) has no metadata (RFC 8414), so nobody can sign in there") }

    /// Nil where it has no metadata.
    private func server(_ issuer: String, _ source: FetchRequest.Source) async throws(FetchFailure) -> AuthorizationServer? {
        guard let address = HTTPAddress(issuer), address.isSafe, address.query == nil else {
            throw FetchFailure("the authorization server is no https address")
        }
        var failure: FetchFailure?
        for place in IssuerMetadata.addresses(of: issuer) {
            do throws(FetchFailure) {
                guard let body = try await document(place, source) else { continue }
                return try AuthorizationServer(parsing: body, of: issuer)
            } catch {
                failure = FetchFailure("\(issuer): \(error.description)")
            }
        }
        if let failure { throw failure }
        return nil
    }

    /// Nil where there is none.
    func document(_ address: String, _ source: FetchRequest.Source) async throws(FetchFailure) -> [UInt8]? {
        var request = FetchRequest(get: address, source)
        request.bytesMax = Self.bytesMax
        request.time = Self.time
        let response = try await fetch(request)
        return response.status == 200 ? response.body : nil
    }
}

/// RFC 6749 §3.3.
func isScope(_ text: String) -> Bool {
    (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
}
