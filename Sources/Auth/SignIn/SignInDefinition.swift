/// `oauth: { grant: authorization_code, … }`: each user signs in to the upstream, and the gateway calls it with that user's token.
package struct SignInDefinition: Hashable, Sendable {
    /// Where users sign in.
    package enum Server: Hashable, Sendable {
        /// What the upstream names (RFC 9728).
        case discovered
        /// This one, by its metadata (RFC 8414).
        case issuer(String)
        case provider(SignInProvider)
        /// One without metadata.
        case endpoints(authorization: String, token: String)
    }

    /// Who the gateway is there.
    package struct Client: Hashable, Sendable {
        package var id: SecretReference
        package var authentication: OAuthClientDefinition.Authentication

        package init(id: SecretReference, authentication: OAuthClientDefinition.Authentication) {
            self.id = id
            self.authentication = authentication
        }
    }

    /// What is asked for besides (RFC 8707).
    package enum Resource: Hashable, Sendable {
        /// What the upstream calls itself, else its address; nothing at providers and servers without metadata.
        case automatic
        case named(String)
        case none
    }

    package var server: Server
    /// Nil where the gateway shall introduce itself: by a metadata document, else by registration.
    package var client: Client?
    /// Empty for what the upstream asks for.
    package var scopes: [String]
    package var resource: Resource

    package init(server: Server = .discovered, client: Client? = nil, scopes: [String] = [], resource: Resource = .automatic) {
        self.server = server
        self.client = client
        self.scopes = scopes
        self.resource = resource
    }

    package var references: [SecretReference] {
        client.map { OAuthClientDefinition(tokenURL: "", clientID: $0.id, authentication: $0.authentication).references } ?? []
    }
}
