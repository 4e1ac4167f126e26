import Auth
import Diagnostics

/// Reads a list under `credential:`, of which the first entry that fits the caller is used.
struct CredentialListReader {
    private static let entriesMax = 64
    let reader: CredentialReader

    func read(_ nodes: [YAMLNode], at position: SourcePosition, _ findings: inout Findings) -> CredentialDefinition? {
        let before = findings.problems.count
        if nodes.isEmpty { findings.add("the list of credentials is empty", at: position, fix: "write `credential: none`, or an entry") }
        if nodes.count > Self.entriesMax { findings.add("more than \(Self.entriesMax) credentials", at: position, fix: "use globs in `for`") }
        var choices: [CredentialDefinition.Choice] = []
        var forAll: SourcePosition?
        for node in nodes.prefix(Self.entriesMax) {
            guard let choice = choice(node, &findings) else { continue }
            if let forAll {
                // Which of the two is meant can't be told; a later one would never be sent.
                findings.add(
                    "this entry is never used: the one at \(forAll) is for everyone", at: node.position,
                    fix: choice.who.isEmpty ? "keep one of them, or give this one a `for`, and put it first" : "put it first")
            }
            if forAll == nil, choice.isForAll { forAll = node.position }
            choices.append(choice)
        }
        return findings.problems.count == before ? .firstOf(choices) : nil
    }

    private func choice(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition.Choice? {
        switch node.content {
        case .mapping(let entries):
            let who = entries.first { $0.key == "for" }
            let rest = YAMLNode(content: .mapping(entries.filter { $0.key != "for" }), position: node.position)
            let credential = reader.readOne(rest, &findings)
            var patterns: [WhoPattern] = []
            if let who {
                patterns = RuleTextReader.who(who.value, "for", &findings)
                if patterns.isEmpty { return nil }
            }
            return credential.map { CredentialDefinition.Choice(who: patterns, credential: $0, position: node.position) }
        case .scalar where node.scalar?.text == "none":
            return CredentialDefinition.Choice(who: [], credential: .none, position: node.position)
        default:
            findings.add("an entry of `credential` must be a mapping, not \(node.kind)", at: node.position, fix: "write `for: […]` and a credential")
            return nil
        }
    }
}

extension CredentialDefinition.Choice {
    /// Whether nobody is left for the entries after it.
    fileprivate var isForAll: Bool { who.isEmpty || who.contains { $0.kind == .everyone } }
}
