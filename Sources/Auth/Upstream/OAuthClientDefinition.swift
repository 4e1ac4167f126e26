/// Who the gateway is at an authorization server, and how it proves that at the token endpoint (RFC 6749 §2.3).
package struct OAuthClientDefinition: Hashable, Sendable {
    package enum Authentication: Hashable, Sendable {
        /// The secret in the form.
        case post(SecretReference)
        /// The secret in `Authorization: Basic`.
        case basic(SecretReference)
        /// The first of the two that the server takes.
        case postOrBasic(SecretReference)
        /// A short-lived token that the gateway signs (RFC 7523 §2.2).
        case privateKeyJWT(SigningDefinition)
        /// Not at all: a public client.
        case none
        /// With a secret that the server itself gave out.
        case issued(IssuedSecret)

        /// The same as a server takes it that lists `methods` (RFC 8414 §2); nil for no list, which means `Authorization: Basic`.
        func fitting(_ methods: [String]?) -> Authentication {
            guard case .postOrBasic(let secret) = self else { return self }
            guard let methods, !methods.contains("client_secret_basic") else { return .basic(secret) }
            return methods.contains("client_secret_post") ? .post(secret) : self
        }

        /// The key that something is signed with, where that is so.
        var signings: [SigningDefinition] { if case .privateKeyJWT(let signing) = self { [signing] } else { [] } }
    }

    /// `https`, or `http` on loopback.
    package var tokenURL: String
    package var clientID: SecretReference
    package var authentication: Authentication
    /// The authorization server, where that is known: whom what is signed is for.
    package var issuer: String?

    package init(tokenURL: String, clientID: SecretReference, authentication: Authentication, issuer: String? = nil) {
        self.tokenURL = tokenURL
        self.issuer = issuer
        self.clientID = clientID
        self.authentication = authentication
    }

    package var references: [SecretReference] {
        switch authentication {
        case .post(let secret), .basic(let secret), .postOrBasic(let secret): [clientID, secret]
        case .privateKeyJWT(let signing): [clientID, signing.key]
        case .none, .issued: [clientID]
        }
    }
}

/// What is asked of a token endpoint besides the grant.
package struct TokenDemand: Hashable, Sendable {
    package var scopes: [String]
    /// RFC 8707; an absolute address.
    package var resource: String?
    /// RFC 8693 §2.1.
    package var audience: String?

    package init(scopes: [String] = [], resource: String? = nil, audience: String? = nil) {
        self.scopes = scopes
        self.resource = resource
        self.audience = audience
    }
}

/// A private key to sign with, and how.
package struct SigningDefinition: Hashable, Sendable {
    /// PEM.
    package var key: SecretReference
    /// `kid`.
    package var keyID: String?
    package var algorithm: SignatureAlgorithm

    package init(key: SecretReference, keyID: String?, algorithm: SignatureAlgorithm) {
        self.key = key
        self.keyID = keyID
        self.algorithm = algorithm
    }

    /// Why nothing can be signed with it now, blocking; nil where it can.
    package func obstacle(environment: [String: String]) -> String? {
        do throws(UnresolvedSecret) {
            _ = try SigningKey.resolve(self, environment: environment)
            return nil
        } catch {
            return error.description
        }
    }
}

/// A token of the gateway's own that names the caller: `signed_jwt`.
package struct SignedTokenDefinition: Hashable, Sendable {
    package var signing: SigningDefinition
    package var issuer: String
    package var audience: String
    /// Whole seconds, 10 to 3,600.
    package var life: Duration

    package init(signing: SigningDefinition, issuer: String, audience: String, life: Duration) {
        self.signing = signing
        self.issuer = issuer
        self.audience = audience
        self.life = life
    }
}
