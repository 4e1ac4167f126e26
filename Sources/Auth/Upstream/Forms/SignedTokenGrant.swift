import JSON

/// A short-lived token that the gateway signs, naming the caller in `sub` (RFC 7519).
struct SignedTokenGrant: CredentialGrant {
    let definition: SignedTokenDefinition
    let services: CredentialServices

    var dependsOnCaller: Bool { true }
    var isLocal: Bool { true }
    var references: [SecretReference] { [definition.signing.key] }

    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential {
        let claims = claims(for: caller)
        let (signing, environment, life) = (definition.signing, services.environment, definition.life)
        return try await OffLoop.run { () throws(CredentialFailure) in
            do throws(UnresolvedSecret) {
                let key = try SigningKey.resolve(signing, environment: environment)
                return .bearer(try key.token(claims), life: life)
            } catch {
                throw .unresolved(error.description)
            }
        }
    }

    /// `client_id` tells a program from a user of the same name (RFC 9068 §2.2), `idp` users of two issuers.
    private func claims(for caller: Caller) -> [(String, JSONValue)] {
        let now = services.date()
        var claims: [(String, JSONValue)] = [
            ("iss", .string(definition.issuer)), ("sub", .string(caller.user ?? caller.client ?? "anonymous")),
            ("aud", .string(definition.audience)), ("jti", .string(SigningKey.newID())), ("iat", .number(String(now))),
            ("exp", .number(String(now + Int(definition.life.components.seconds)))),
        ]
        if let client = caller.client { claims.append(("client_id", .string(client))) }
        if case .token(let issuer) = caller.proof { claims.append(("idp", .string(issuer))) }
        return claims
    }
}
