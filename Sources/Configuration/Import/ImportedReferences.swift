/// Turns the references of clients into ours, and secrets into references.
struct ImportedReferences {
    let upstream: String
    /// What the value is called: the variable that it comes from unless it says another.
    let variable: String

    /// `${input:ID}`, `${env:NAME}`, `${NAME}` and `${NAME:-default}` become `${env:…}`; where something else stands, or the rest is a
    /// secret, the whole becomes one reference.
    func convert(_ value: String, isSecret: Bool, _ variables: inout ImportedVariables) -> String {
        var text = ""
        var names: [(placeholder: Int, name: String)] = []
        var pieces: [String] = []
        var rest = value[...]
        while let start = rest.firstRange(of: "${") {
            guard let end = rest[start.upperBound...].firstIndex(of: "}"), let name = Self.name(rest[start.upperBound..<end]) else {
                return variables.reference(variable, value: value, upstream: upstream)
            }
            text += rest[..<start.lowerBound]
            pieces.append(String(rest[..<start.lowerBound]))
            names.append((pieces.count, name))
            rest = rest[rest.index(after: end)...]
        }
        text += rest
        pieces.append(String(rest))
        let literal = text.trimmingSpaces()
        if isSecret && (names.isEmpty || !["", "Bearer", "Basic", "Token"].contains(literal)) {
            return variables.reference(variable, value: value, upstream: upstream)
        }
        var result = pieces.first ?? ""
        for (index, name) in names { result += variables.reference(name, value: nil, upstream: upstream) + pieces[index] }
        return result
    }

    /// The variable that a client's reference means; nil for `${workspaceFolder}` and what we have no word for.
    private static func name(_ inside: Substring) -> String? {
        let text = String(inside)
        for prefix in ["input:", "env:"] where text.hasPrefix(prefix) {
            let name = variableName(from: String(text.dropFirst(prefix.count)))
            return name == "_" ? nil : prefix == "env:" ? String(text.dropFirst(4)).asVariable : name
        }
        if text == "userHome" { return "HOME" }
        let name = text.firstRange(of: ":-").map { String(text[..<$0.lowerBound]) } ?? text
        return ["workspaceFolder", "workspaceFolderBasename", "pathSeparator"].contains(name) ? nil : name.asVariable
    }
}

extension String {
    fileprivate var asVariable: String? { isVariableName(self) ? self : nil }
}
