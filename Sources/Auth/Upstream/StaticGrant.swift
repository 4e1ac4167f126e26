import MCPProtocol

/// The forms that are sent as they are written: `none`, `bearer`, `headers`, `basic`.
struct StaticGrant: CredentialGrant {
    let definition: CredentialDefinition
    let environment: [String: String]

    var isLocal: Bool { true }
    var references: [SecretReference] { definition.references }

    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential {
        if references.allSatisfy({ $0.files.isEmpty }) { return try resolved() }
        return try await OffLoop.run { () throws(CredentialFailure) in try resolved() }
    }

    private func resolved() throws(CredentialFailure) -> IssuedCredential {
        do throws(UnresolvedSecret) {
            var issued = IssuedCredential(fields: try fields())
            if case .basic(_, let password) = definition { issued.sources = [try password.resolve(environment: environment)] }
            return issued
        } catch {
            throw .unresolved(error.description)
        }
    }

    private func fields() throws(UnresolvedSecret) -> [(name: String, value: Secret)] {
        switch definition {
        case .bearer(let token):
            return [("Authorization", Secret("Bearer \(try token.resolve(environment: environment).reveal())"))]
        case .basic(let username, let password):
            // RFC 7617 §2: a user name has no colon.
            let name = try username.resolve(environment: environment).reveal()
            guard !name.contains(":") else { throw UnresolvedSecret(description: "a user name for `basic` can't have a colon") }
            let pair = "\(name):\(try password.resolve(environment: environment).reveal())"
            return [("Authorization", Secret("Basic \(Base64.encode(Array(pair.utf8)))"))]
        case .headers(let headers):
            var fields: [(name: String, value: Secret)] = []
            for header in headers { fields.append((header.name, try header.value.resolve(environment: environment))) }
            return fields
        default: return []
        }
    }
}
