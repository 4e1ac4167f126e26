import Auth
import Diagnostics

/// Reads `key`, `key_id` and `algorithm` of whatever the gateway signs.
struct SigningReader {
    let references: SecretReferenceReader
    /// As the names of variables begin.
    let variable: String

    /// The definition; nil where something is wrong, and it is noted. `name` is the form's, as messages show it.
    func read(_ section: Section, _ name: String, _ findings: inout Findings) -> SigningDefinition? {
        let key = section["key"].map { references.readSecret($0, "key", variable: "\(variable)_KEY", &findings) }
        if key == nil {
            findings.add("`\(name)` has no `key`", at: section.position, fix: "write key: \"${file:PATH}\", a private key in PEM")
        }
        let algorithm = section["algorithm"].map { self.algorithm($0, &findings) }
        if algorithm == nil {
            findings.add("`\(name)` does not say with which `algorithm`", at: section.position, fix: "write `algorithm: ES256`, or what fits the key")
        }
        let id = section["key_id"].map { $0.text("key_id", &findings) }
        guard case let key?? = key, case let algorithm?? = algorithm else { return nil }
        if case .some(nil) = id { return nil }
        return SigningDefinition(key: key, keyID: id ?? nil, algorithm: algorithm)
    }

    private func algorithm(_ node: YAMLNode, _ findings: inout Findings) -> SignatureAlgorithm? {
        guard let text = node.text("algorithm", &findings) else { return nil }
        if let algorithm = SignatureAlgorithm(rawValue: text) { return algorithm }
        let names = SignatureAlgorithm.allCases.map(\.rawValue)
        let near = suggestion(for: text, among: names)
        findings.add(
            "\(quoted(text)) is no algorithm that the gateway signs with", at: node.position,
            fix: near.map { "did you mean \($0)?" } ?? "write \(orList(names))")
        return nil
    }
}

/// Reads `signed_jwt:` of a credential.
struct SignedTokenReader {
    let references: SecretReferenceReader
    let variable: String

    func read(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        let keys = Section.Keys(known: ["key", "key_id", "algorithm", "issuer", "audience", "ttl"])
        guard let section = Section(node, "`signed_jwt`", keys, &findings) else { return nil }
        let signing = SigningReader(references: references, variable: variable).read(section, "signed_jwt", &findings)
        let issuer = text("issuer", section, "how the upstream knows the gateway, such as its `public_url`", &findings)
        let audience = text("audience", section, "how the upstream knows itself, such as its address", &findings)
        var life = Duration.seconds(60)
        if let node = section["ttl"] {
            guard let time = node.time("ttl", .seconds(1) ... .seconds(3_600), &findings) else { return nil }
            guard time.components.attoseconds == 0 else {
                findings.add("`ttl` must be whole seconds", at: node.position, fix: "write 60s")
                return nil
            }
            life = time
        }
        guard let signing, let issuer, let audience else { return nil }
        return .signedJWT(SignedTokenDefinition(signing: signing, issuer: issuer, audience: audience, life: life))
    }

    private func text(_ key: String, _ section: Section, _ what: String, _ findings: inout Findings) -> String? {
        guard let node = section[key] else {
            findings.add("`signed_jwt` has no `\(key)`", at: section.position, fix: "write \(what)")
            return nil
        }
        return node.text(key, &findings)
    }
}
