/// How the gateway proves itself to an upstream, as written under `credential:`.
package enum CredentialDefinition: Hashable, Sendable {
    case none
    case bearer(SecretReference)
    case headers([Header])
    case basic(username: SecretReference, password: SecretReference)

    package struct Header: Hashable, Sendable {
        package var name: String
        package var value: SecretReference

        package init(name: String, value: SecretReference) {
            self.name = name
            self.value = value
        }
    }
}
