import Auth
import JSON

extension ToolSelection {
    /// What an argument can be when rules judge it, after this selection's own rules for arguments.
    func possibleValues(at path: [String]) -> PossibleValues {
        arguments.first { $0.name == path.first }?.possibleValues(at: path.dropFirst()) ?? .anything
    }

    /// Why the argument can be no more than that, for people; nil where it is as the caller sends it.
    func limit(of argument: [String]) -> String? {
        guard let rule = arguments.first(where: { $0.name == argument.first }) else { return nil }
        if let fixed = rule.fixed { return "`\(rule.name)` is always \(fixed.text)" }
        if rule.hidden { return "`\(rule.name)` is hidden, and " + (rule.default.map { "always \($0.text)" } ?? "never sent") }
        return rule.allow.map { "`\(rule.name)` is one of \($0.map(\.text).joined(separator: ", "))" }
    }
}

extension ArgumentRule {
    /// `path` is what follows the argument's own name.
    fileprivate func possibleValues(at path: ArraySlice<String>) -> PossibleValues {
        let inner = { (value: JSONValue?) in ArgumentValue(path.reduce(value) { $0?[$1] }) }
        if let fixed { return .only([inner(fixed)]) }
        if hidden { return .only([inner(`default`)]) }
        guard let allow else { return .anything }
        return .only(allow.map(inner) + [inner(`default`)])
    }
}

extension RuleCheck {
    /// What is wrong with a rule of a role that can never match what those selections take, whatever the upstream has.
    package static func impossibility(
        of rule: Rule, isDeny: Bool, in selections: [ToolSelection], _ naming: VirtualServerDefinition.Naming
    ) -> String? {
        let concerned = selections.filter { selection in
            switch rule.matter {
            case .everything, .toolClass: true
            case .tools(let glob): glob.intersects(Glob(naming.exposedName(of: selection)))
            case .prompts, .resources: false
            }
        }
        guard !rule.conditions.isEmpty, !concerned.isEmpty else { return nil }
        var reason: String?
        for selection in concerned {
            guard let path = rule.impossibility(isDeny: isDeny, selection.possibleValues) else { return nil }
            reason = reason ?? selection.limit(of: path) ?? "no value of `\(path.joined(separator: "."))` meets all of it"
        }
        return reason
    }
}
