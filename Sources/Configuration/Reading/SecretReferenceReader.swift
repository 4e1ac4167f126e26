import Auth
import Diagnostics

/// Reads texts that may hold `${env:NAME}` and `${file:PATH}`.
struct SecretReferenceReader {
    /// The folder that relative paths start from.
    let folder: NamedPath

    /// A text, or a number or truth value as it is spelt; `name` is the key's. The value is never shown.
    func read(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> SecretReference? {
        guard let text = node.word(name, &findings) else { return nil }
        return findings.value { () throws(ConfigurationError) in try parse(text, at: node.position) }
    }

    /// As `read`, and a text without any reference is refused, unshown.
    func readSecret(_ node: YAMLNode, _ name: String, variable: String, _ findings: inout Findings) -> SecretReference? {
        guard let reference = read(node, name, &findings) else { return nil }
        guard !reference.names.isEmpty else {
            refuseLiteral(name, variable: variable, at: node.position, &findings)
            return nil
        }
        return reference
    }

    func refuseLiteral(_ name: String, variable: String, at position: SourcePosition, _ findings: inout Findings) {
        findings.add("`\(name)` holds a secret as it is", at: position, fix: "put it in the environment and write \"${env:\(variable)}\"")
    }

    private func parse(_ text: String, at position: SourcePosition) throws(ConfigurationError) -> SecretReference {
        var parts: [SecretReference.Part] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw ConfigurationError("a reference is not closed", at: position, fix: "write ${env:NAME} or ${file:PATH}")
            }
            parts.append(try part(rest[start.upperBound..<end], at: position))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        guard parts.count <= 64 else { throw ConfigurationError("more than 64 references in one text", at: position, fix: "use fewer") }
        return SecretReference(parts: parts, position: position)
    }

    private func part(_ inside: Substring, at position: SourcePosition) throws(ConfigurationError) -> SecretReference.Part {
        let name = String(inside)
        if name.hasPrefix("env:") {
            let variable = String(name.dropFirst(4))
            if isVariableName(variable) { return .environment(variable) }
            throw ConfigurationError(
                "\(quoted(variable)) is no name of a variable", at: position, fix: "write letters, digits and _ only, as in ${env:NAME}")
        }
        if name.hasPrefix("file:") {
            let path = String(name.dropFirst(5))
            if !path.isEmpty { return .file(folder.appending(path).absolute) }
            throw ConfigurationError("${file:} names no file", at: position, fix: "write ${file:PATH}")
        }
        if isVariableName(name) {
            throw ConfigurationError("${\(name)} does not say where to look", at: position, fix: "did you mean ${env:\(name)}?")
        }
        throw ConfigurationError("a reference is ${env:NAME} or ${file:PATH}, and this is neither", at: position, fix: "write one of them")
    }
}

/// A letter or `_`, then letters, digits and `_`.
func isVariableName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    return text.utf8.count <= 256 && text.utf8.allSatisfy(isWordByte)
}

extension SecretReference {
    /// What it refers to, in order.
    var names: [Part] {
        parts.filter { if case .text = $0 { false } else { true } }
    }

    /// The text as it stands, where it refers to nothing.
    var literal: String? {
        guard names.isEmpty else { return nil }
        return parts.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    }
}
