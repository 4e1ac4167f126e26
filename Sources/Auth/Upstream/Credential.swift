import MCPProtocol

/// What proves the gateway to one upstream: header fields, secret values among them.
package struct Credential: Sendable {
    package let fields: [(name: String, value: Secret)]

    fileprivate init(fields: [(name: String, value: Secret)]) { self.fields = fields }
}

extension CredentialDefinition {
    /// The credential as of now; files are read anew each time.
    package func credential(environment: [String: String]) throws(UnresolvedSecret) -> Credential {
        switch self {
        case .none: return Credential(fields: [])
        case .bearer(let token):
            let token = try token.resolve(environment: environment)
            return Credential(fields: [("Authorization", Secret("Bearer \(token.reveal())"))])
        case .basic(let username, let password):
            // RFC 7617 §2: a user name has no colon.
            let name = try username.resolve(environment: environment).reveal()
            guard !name.contains(":") else { throw UnresolvedSecret(description: "a user name for `basic` can't have a colon") }
            let pair = "\(name):\(try password.resolve(environment: environment).reveal())"
            return Credential(fields: [("Authorization", Secret("Basic \(Base64.encode(Array(pair.utf8)))"))])
        case .headers(let headers):
            var fields: [(name: String, value: Secret)] = []
            for header in headers { fields.append((header.name, try header.value.resolve(environment: environment))) }
            return Credential(fields: fields)
        }
    }

    package var references: [SecretReference] {
        switch self {
        case .none: []
        case .bearer(let token): [token]
        case .basic(let username, let password): [username, password]
        case .headers(let headers): headers.map(\.value)
        }
    }
}
