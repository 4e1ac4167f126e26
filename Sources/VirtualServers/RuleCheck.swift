import Auth
import Diagnostics
import JSON

/// Finds rules that can never match what is exposed: none may silently deny or allow.
package struct RuleCheck {
    private let subjects: [Subject]

    package init(_ subjects: [Subject]) { self.subjects = subjects }

    func problems(of access: AccessRule) -> [Problem] {
        guard case .roles(let roles) = access else { return [] }
        return roles.flatMap { $0.allow + $0.deny }.flatMap { problems(of: $0) }
    }

    /// What is wrong with a rule now that the tools are known.
    package func problems(of rule: Rule) -> [Problem] {
        let position = rule.reference.position
        let concerned = subjects.filter(rule.concerns)
        if concerned.isEmpty, let (kind, glob) = rule.matter.names {
            let names = subjects.filter { $0.kind == kind }.map { rule.isOfUpstream ? $0.upstreamName : $0.name }
            let near = glob.literal.flatMap { suggestion(for: $0, among: names) }
            let fix = near.map { "did you mean \"\($0)\"?" } ?? "there are: \(names.prefix(20).joined(separator: ", "))"
            return [Problem("no \(kind) here matches \"\(rule.reference.text)\"", at: position, fix: fix)]
        }
        let taking = concerned.filter { $0.schema != nil }
        guard !taking.isEmpty else { return [] }
        return rule.conditions.flatMap { problems(of: $0, in: rule, taking) }
    }

    private func problems(of condition: Condition, in rule: Rule, _ taking: [Subject]) -> [Problem] {
        let position = rule.reference.position
        let schemas = taking.compactMap(\.schema)
        if schemas.allSatisfy({ $0.plainlyLacks(condition.path) }) {
            let outer = Array(condition.path.dropLast())
            let names = schemas.flatMap { ($0.property(at: outer)?["properties"]?.members ?? []).map(\.key) }
            let near = suggestion(for: condition.path.last ?? "", among: names).map { "did you mean \"\((outer + [$0]).joined(separator: "."))\"?" }
            let kinds = [Subject.Kind.tool, .prompt].filter { kind in taking.contains { $0.kind == kind } }
            let many = "none of the \(schemas.count) \(kinds.map { "\($0)s" }.joined(separator: " and ")) has an argument"
            let what = schemas.count == 1 ? "the \(taking[0].kind) has no argument" : many
            let others = Set(names).sorted().prefix(20).joined(separator: ", ")
            return [
                Problem(
                    "\(what) \"\(condition.argument)\", which \"\(rule.reference.text)\" asks for", at: position,
                    fix: near ?? (names.isEmpty ? "remove the condition" : "there are: \(others)"))
            ]
        }
        let choices = schemas.map { $0.property(at: condition.path)?["enum"]?.array }
        guard choices.allSatisfy({ $0 != nil }) else { return [] }
        let all = choices.compactMap(\.self).joined().map { $0.string ?? $0.text }
        return condition.values.compactMap { value in
            guard !all.contains(where: value.glob.matches) else { return nil }
            let near = suggestion(for: value.text, among: all).map { "did you mean \"\($0)\"?" }
            return Problem(
                "\"\(condition.argument)\" is never \"\(value.text)\", which \"\(rule.reference.text)\" asks for", at: position,
                fix: near ?? "it is one of \(all.prefix(20).joined(separator: ", "))")
        }
    }
}

extension Rule.Matter {
    /// The names that it is about; nil for classes and all, and for resources, of which there are more than are listed.
    fileprivate var names: (Subject.Kind, Glob)? {
        switch self {
        case .tools(let glob): (.tool, glob)
        case .prompts(let glob): (.prompt, glob)
        case .everything, .toolClass, .resources: nil
        }
    }
}
