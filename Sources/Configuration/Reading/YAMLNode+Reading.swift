import Diagnostics

/// What a node must be; where it is not, nil comes back and the problem is noted. `name` is the key's, as messages show it.
extension YAMLNode {
    func entries(_ name: String, _ findings: inout Findings) -> [Entry]? {
        if case .mapping(let entries) = content { return entries }
        findings.add("\(name) must be a mapping of keys to values, not \(kind)", at: position, fix: "write `key: value` lines below it")
        return nil
    }

    func elements(_ name: String, _ findings: inout Findings) -> [YAMLNode]? {
        if case .sequence(let elements) = content { return elements }
        findings.add("`\(name)` must be a list, not \(kind)", at: position, fix: "write `\(name): [first, second]`")
        return nil
    }

    /// Text that is not empty.
    func text(_ name: String, _ findings: inout Findings) -> String? {
        guard let scalar, scalar.kind == .string else {
            let isScalar = scalar != nil && !isNull
            findings.add("`\(name)` must be text, not \(found)", at: position, fix: isScalar ? "put it in quotes" : "write `\(name): some text`")
            return nil
        }
        guard !scalar.text.isEmpty else {
            findings.add("`\(name)` is empty", at: position, fix: "write something, or remove the key")
            return nil
        }
        guard !scalar.text.unicodeScalars.contains("\0") else {
            findings.add("`\(name)` holds the character NUL", at: position, fix: "remove it")
            return nil
        }
        return scalar.text
    }

    /// Text, or a number or truth value as it is spelt: what command lines and environments are made of.
    func word(_ name: String, _ findings: inout Findings) -> String? {
        guard let scalar, !isNull, !scalar.text.unicodeScalars.contains("\0") else {
            findings.add("`\(name)` must be text, not \(kind)", at: position, fix: "write a text in quotes")
            return nil
        }
        return scalar.text
    }

    func flag(_ name: String, _ findings: inout Findings) -> Bool? {
        if case .bool(let value) = scalar?.kind { return value }
        findings.add("`\(name)` must be true or false, not \(found)", at: position, fix: "write `\(name): true` or leave it out")
        return nil
    }

    func choice<Value>(_ name: String, _ choices: KeyValuePairs<String, Value>, _ findings: inout Findings) -> Value? {
        if let text = scalar?.text, let match = choices.first(where: { $0.key == text }) { return match.value }
        let names = choices.map(\.key)
        let near = scalar.flatMap { suggestion(for: $0.text, among: names) }
        let fix = near.map { "did you mean \"\($0)\"?" } ?? "write `\(name): \(names.first ?? "")`"
        findings.add("`\(name)` must be \(orList(names)), not \(found)", at: position, fix: fix)
        return nil
    }
}

/// `a`, `a or b`, `a, b or c`.
package func orList(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}
