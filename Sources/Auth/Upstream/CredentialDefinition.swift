import Diagnostics

/// How the gateway proves itself to an upstream, as written under `credential:`.
package indirect enum CredentialDefinition: Hashable, Sendable {
    case none
    case bearer(SecretReference)
    case headers([Header])
    case basic(username: SecretReference, password: SecretReference)
    case clientCredentials(OAuthClientDefinition, TokenDemand)
    case tokenExchange(OAuthClientDefinition, TokenDemand)
    case signedJWT(SignedTokenDefinition)
    case authorizationCode(SignInDefinition)
    /// The first whose `for:` fits the caller; never one inside another.
    case firstOf([Choice])

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: SecretReference

        package init(name: String, value: SecretReference) {
            self.name = name
            self.value = value
        }
    }

    /// An entry of a list.
    package struct Choice: Hashable, Sendable {
        /// `for:`; empty for everyone.
        package var who: [WhoPattern]
        package var credential: CredentialDefinition
        package var position: SourcePosition

        package init(who: [WhoPattern], credential: CredentialDefinition, position: SourcePosition) {
            self.who = who
            self.credential = credential
            self.position = position
        }

        /// Wherever it stands: moving a line changes nothing.
        package static func == (a: Choice, b: Choice) -> Bool {
            a.credential == b.credential && a.who.map(\.reference.text) == b.who.map(\.reference.text)
        }

        package func hash(into hasher: inout Hasher) { hasher.combine(credential) }
    }
}

extension CredentialDefinition {
    /// Every reference to a secret in it.
    package var references: [SecretReference] {
        switch self {
        case .none: []
        case .bearer(let token): [token]
        case .basic(let username, let password): [username, password]
        case .headers(let headers): headers.map(\.value)
        case .clientCredentials(let client, _), .tokenExchange(let client, _): client.references
        case .signedJWT(let definition): [definition.signing.key]
        case .authorizationCode(let definition): definition.references
        case .firstOf(let choices): choices.flatMap(\.credential.references)
        }
    }

    /// Every key in it that something is signed with.
    package var signings: [SigningDefinition] {
        switch self {
        case .none, .bearer, .basic, .headers: []
        case .clientCredentials(let client, _), .tokenExchange(let client, _): client.authentication.signings
        case .signedJWT(let definition): [definition.signing]
        case .authorizationCode(let definition): definition.client?.authentication.signings ?? []
        case .firstOf(let choices): choices.flatMap(\.credential.signings)
        }
    }

    /// The definitions that it is made of: the entries of a list, else itself.
    package var parts: [CredentialDefinition] { if case .firstOf(let choices) = self { choices.map(\.credential) } else { [self] } }
}
