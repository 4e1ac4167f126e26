import MCPProtocol
import Synchronization

/// A token endpoint and who the gateway is there (RFC 6749 §3.2).
package struct TokenEndpoint: Sendable {
    private static let bytesMax = 64 * 1024
    /// RFC 7523 §2.2: only for this one request.
    private static let assertionLife = 60
    /// How long it is not asked again whose endpoint it is.
    private static let issuerLife = Duration.seconds(60)

    let client: OAuthClientDefinition
    /// Who named the address.
    let source: FetchRequest.Source
    let services: CredentialServices
    /// That of the upstream which may tell whose endpoint it is; nil where nobody is asked.
    private let upstream: String?
    private let memory = Memory()

    /// What an endpoint was seen to take.
    private final class Memory: Sendable {
        let wantsBasic = Atomic<Bool>(false)
        let issuer = Mutex<(found: String?, at: ContinuousClock.Instant)?>(nil)
    }

    package init(
        client: OAuthClientDefinition, source: FetchRequest.Source = .configured, upstream: String? = nil, services: CredentialServices
    ) {
        self.client = client
        self.upstream = upstream
        self.source = source
        self.services = services
    }

    /// What was granted, and the secrets that were sent for it.
    package struct Grant: Sendable {
        package let response: TokenResponse
        package let sources: [Secret]
    }

    /// Sends one token request; `parameters` are the grant's own, `secrets` those among them to be masked.
    ///
    /// A client secret that is refused and has changed meanwhile is tried once more.
    package func request(_ parameters: [(String, String)], secrets: [Secret] = []) async throws(CredentialFailure) -> Grant {
        switch try await exchange(parameters, secrets: secrets) {
        case .success(let grant): return grant
        case .failure(let failure): throw .exchangeFailed("\(client.tokenURL) gives no token: \(failure)")
        }
    }

    /// The same, where the server's reason matters.
    func exchange(_ parameters: [(String, String)], secrets: [Secret] = []) async throws(CredentialFailure) -> Result<Grant, TokenFailure> {
        var isRetry = false
        var hasTurned = false
        var isBasic = memory.wantsBasic.load(ordering: .relaxed)
        while true {
            let proof = try await proof(isBasic: isBasic)
            do throws(TokenFailure) {
                let response = try await send(parameters, proof, secrets)
                if hasTurned { memory.wantsBasic.store(isBasic, ordering: .relaxed) }
                return .success(Grant(response: response, sources: proof.secrets))
            } catch {
                if error.code == "invalid_client", !hasTurned, case .postOrBasic = client.authentication {
                    hasTurned = true
                    isBasic.toggle()
                    continue
                }
                if error.code == "invalid_client", !isRetry, await hasChanged(proof, isBasic: isBasic) {
                    isRetry = true
                    continue
                }
                return .failure(error)
            }
        }
    }

    private struct Proof: Sendable {
        var field: (name: String, value: String)?
        var parameters: [(String, String)]
        /// The first is the one that says whether it is still the same.
        var secrets: [Secret]
    }

    private func send(_ parameters: [(String, String)], _ proof: Proof, _ secrets: [Secret]) async throws(TokenFailure) -> TokenResponse {
        var body = FormBody()
        for (name, value) in parameters + proof.parameters { body.add(name, value) }
        var request = FetchRequest(post: body.bytes, as: FormBody.contentType, to: client.tokenURL, source)
        if let field = proof.field { request.fields.append(field) }
        request.bytesMax = Self.bytesMax
        let redaction = Redaction(proof.secrets + secrets)
        let response: FetchResponse
        do {
            response = try await services.fetch(request)
        } catch {
            throw TokenFailure(redaction.excerpt(error.description))
        }
        guard response.status == 200 else { throw TokenFailure(status: response.status, body: response.body, redaction: redaction) }
        return try TokenResponse(parsing: response.body)
    }

    private func proof(isBasic: Bool) async throws(CredentialFailure) -> Proof {
        // The issuer is only the one server's, while several may take an address of the same endpoint for theirs
        // (draft-ietf-oauth-rfc7523bis §4; audience injection).
        let audience = await issuer() ?? client.tokenURL
        return try await OffLoop.run { () throws(CredentialFailure) in
            do throws(UnresolvedSecret) {
                return try makeProof(isBasic: isBasic, audience: audience)
            } catch {
                throw .unresolved(error.description)
            }
        }
    }

    /// Whose endpoint it is; looked for only where something is signed for it.
    private func issuer() async -> String? {
        if let issuer = client.issuer { return issuer }
        guard case .privateKeyJWT = client.authentication, let upstream else { return nil }
        let now = services.now()
        if let known = memory.issuer.withLock({ $0 }), now - known.at < Self.issuerLife { return known.found }
        let discovery = SignInDiscovery(definition: SignInDefinition(), address: upstream, fetch: services.fetch)
        let found = await discovery.issuer(ofTokenEndpoint: client.tokenURL)
        memory.issuer.withLock { $0 = (found, now) }
        return found
    }

    private func makeProof(isBasic: Bool, audience: String) throws(UnresolvedSecret) -> Proof {
        let environment = services.environment
        let id = try client.clientID.resolve(environment: environment).reveal()
        switch client.authentication {
        case .post(let secret): return try self.secret(secret, of: id, isBasic: false)
        case .basic(let secret): return try self.secret(secret, of: id, isBasic: true)
        case .postOrBasic(let secret): return try self.secret(secret, of: id, isBasic: isBasic)
        case .issued(let issued): return proof(of: issued.value, of: id, isBasic: issued.isBasic)
        case .none: return Proof(parameters: [("client_id", id)], secrets: [])
        case .privateKeyJWT(let signing):
            let now = services.date()
            let assertion = try SigningKey.resolve(signing, environment: environment).token([
                ("iss", .string(id)), ("sub", .string(id)), ("aud", .string(audience)), ("jti", .string(SigningKey.newID())),
                ("iat", .number(String(now))), ("exp", .number(String(now + Self.assertionLife))),
            ])
            let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            return Proof(
                parameters: [("client_id", id), ("client_assertion_type", type), ("client_assertion", assertion.reveal())],
                secrets: [try signing.key.resolveText(environment: environment), assertion])
        }
    }

    private func secret(_ reference: SecretReference, of id: String, isBasic: Bool) throws(UnresolvedSecret) -> Proof {
        proof(of: try reference.resolve(environment: services.environment), of: id, isBasic: isBasic)
    }

    private func proof(of secret: Secret, of id: String, isBasic: Bool) -> Proof {
        guard isBasic else { return Proof(parameters: [("client_id", id), ("client_secret", secret.reveal())], secrets: [secret]) }
        // Both are form-encoded first, so that a colon in an id stays one (RFC 6749 §2.3.1).
        let pair = "\(FormBody.encode(id)):\(FormBody.encode(secret.reveal()))"
        let encoded = Base64.encode(Array(pair.utf8))
        return Proof(field: ("Authorization", "Basic \(encoded)"), parameters: [], secrets: [secret, Secret(encoded)])
    }

    private func hasChanged(_ proof: Proof, isBasic: Bool) async -> Bool {
        guard let now = try? await self.proof(isBasic: isBasic) else { return false }
        return now.secrets.first?.reveal() != proof.secrets.first?.reveal()
    }
}

extension TokenDemand {
    var parameters: [(String, String)] {
        var parameters: [(String, String)] = []
        if !scopes.isEmpty { parameters.append(("scope", scopes.joined(separator: " "))) }
        if let resource { parameters.append(("resource", resource)) }
        if let audience { parameters.append(("audience", audience)) }
        return parameters
    }
}
