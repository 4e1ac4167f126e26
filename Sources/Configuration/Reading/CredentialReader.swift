import Auth
import Diagnostics

/// Reads `credential:` of an upstream. No message ever shows a value that stands in it.
struct CredentialReader {
    let references: SecretReferenceReader
    /// The upstream's name, for the names of variables in fixes.
    let upstream: String

    func read(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        if case .sequence(let nodes) = node.content {
            return CredentialListReader(reader: self).read(nodes, at: node.position, &findings)
        }
        return readOne(node, &findings)
    }

    /// One credential, or one entry of a list without its `for`.
    func readOne(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        if node.scalar?.text == "none" { return CredentialDefinition.none }
        switch node.content {
        case .sequence:
            findings.add("a list stands within a list", at: node.position, fix: "write one list")
            return nil
        case .scalar:
            findings.add("`credential` must be none or a mapping, not \(node.kind)", at: node.position, fix: example)
            return nil
        case .mapping(let entries):
            guard let section = Section(node, "`credential`", Self.keys, &findings) else { return nil }
            let forms = entries.filter { Self.keys.known.contains($0.key) }
            guard let form = forms.first, forms.count == 1 else {
                if !section.hasRefusedKeys && (entries.isEmpty || forms.count > 1) {
                    let names = forms.map { "`\($0.key)`" }.joined(separator: " and ")
                    findings.add(
                        forms.isEmpty ? "`credential` says nothing" : "`credential` has \(names)", at: node.position,
                        fix: forms.isEmpty ? example : "keep one of them")
                }
                return nil
            }
            return section.hasRefusedKeys ? nil : read(form, &findings)
        }
    }

    private func read(_ form: YAMLNode.Entry, _ findings: inout Findings) -> CredentialDefinition? {
        switch form.key {
        case "none":
            return CredentialDefinition.none
        case "bearer":
            guard let token = references.readSecret(form.value, "bearer", variable: variable("TOKEN"), &findings) else { return nil }
            if case .text(let text) = token.parts.first, text.lowercased().hasPrefix("bearer ") {
                findings.add("`bearer` begins with \"Bearer \", which would be sent twice", at: form.value.position, fix: "leave the word out")
                return nil
            }
            return .bearer(token)
        case "headers":
            return headers(form.value, &findings)
        case "oauth":
            return OAuthReader(references: references, variable: variableName(from: upstream)).read(form.value, &findings)
        case "signed_jwt":
            return SignedTokenReader(references: references, variable: variableName(from: upstream)).read(form.value, &findings)
        default:
            guard let section = Section(form.value, "`basic`", .init(known: ["username", "password"]), &findings) else { return nil }
            guard let username = section["username"], let password = section["password"] else {
                let missing = section["username"] == nil ? "username" : "password"
                findings.add("`basic` has no `\(missing)`", at: section.position, fix: "write basic: { username: …, password: \"${env:NAME}\" }")
                return nil
            }
            // A user name is no secret, so it may stand there as it is.
            let user = references.read(username, "username", &findings)
            let secret = references.readSecret(password, "password", variable: variable("PASSWORD"), &findings)
            guard let user, let secret else { return nil }
            if case .text(let text) = user.parts.first, text.utf8.contains(UInt8(ascii: ":")) {
                findings.add("`username` holds a colon, which ends it (RFC 7617 §2)", at: username.position, fix: "remove the colon")
                return nil
            }
            return .basic(username: user, password: secret)
        }
    }

    private func headers(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        guard let entries = node.entries("`headers`", &findings) else { return nil }
        var headers: [CredentialDefinition.Header] = []
        var places: [String: SourcePosition] = [:]
        for entry in entries {
            guard HeaderName.check(entry, &findings), let value = value(of: entry, &findings) else { continue }
            if let first = places.updateValue(entry.keyPosition, forKey: entry.key.lowercased()) {
                findings.add(
                    "the header \(entry.key) stands here a second time; the first is at \(first)", at: entry.keyPosition, fix: "keep one of them")
            }
            headers.append(CredentialDefinition.Header(name: entry.key, value: value))
        }
        if entries.isEmpty { findings.add("`headers` is empty", at: node.position, fix: "write Name: \"${env:NAME}\", or remove it") }
        return headers.count == entries.count && !headers.isEmpty ? .headers(headers) : nil
    }

    /// A reference, or a text that is plainly no secret, such as `X-MCP-Readonly: true`.
    private func value(of entry: YAMLNode.Entry, _ findings: inout Findings) -> SecretReference? {
        guard let reference = references.read(entry.value, entry.key, &findings) else { return nil }
        let texts = reference.parts.compactMap { if case .text(let text) = $0 { text } else { nil } }
        // A line break would let what follows pass for another header (response splitting's twin).
        guard texts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else {
            findings.add("the header \(entry.key) holds a control character", at: entry.value.position, fix: "write its value on one line")
            return nil
        }
        if let literal = reference.literal, !SecretLook.isHarmless(literal),
            SecretLook.isSecretName(entry.key) || SecretLook.isSecretValue(literal) || SecretLook.isRandom(literal)
        {
            references.refuseLiteral(entry.key, variable: variableName(from: entry.key), at: entry.value.position, &findings)
            return nil
        }
        return reference
    }

    private func variable(_ suffix: String) -> String { variableName(from: upstream + "_" + suffix) }
    private var example: String { "write credential: { bearer: \"${env:\(variable("TOKEN"))}\" }" }

    private static let keys = Section.Keys(
        known: ["none", "bearer", "headers", "basic", "oauth", "signed_jwt"],
        refused: ["for": ("`for` belongs to an entry of a list", "write `credential:` as a list, and an entry for the others after this one")])
}

/// What to say of a key that a later version knows: it must not be passed over, for it takes something away.
func later(_ key: String, _ fix: String) -> (what: String, fix: String) { ("`\(key)` is not supported by this version", fix) }

/// The name as a variable of the environment would be called: `x-api-key` becomes `X_API_KEY`.
func variableName(from name: String) -> String {
    var result = ""
    for byte in name.uppercased().utf8 { result.unicodeScalars.append(isWordByte(byte) ? UnicodeScalar(byte) : "_") }
    return isVariableName(result) ? result : "_" + result
}
