import Diagnostics
import JSON
import VirtualServers

/// Reads one entry of `arguments:`.
enum ArgumentReader {
    /// The rule; nil where something is wrong, and it is noted.
    static func read(_ entry: YAMLNode.Entry, _ findings: inout Findings) -> ArgumentRule? {
        let keys = Section.Keys(known: ["fixed", "default", "allow", "hidden"])
        guard let section = Section(entry.value, "the argument \(quoted(entry.key))", keys, &findings) else { return nil }
        let before = findings.problems.count
        let fixed = section["fixed"].flatMap { json($0, &findings) }
        let standard = section["default"].flatMap { json($0, &findings) }
        let allow = section["allow"].flatMap { values($0, &findings) }
        let hidden = section["hidden"].flatMap { $0.flag("hidden", &findings) }
        guard findings.problems.count == before else { return nil }
        let rule = ArgumentRule(
            name: entry.key, fixed: fixed, default: standard, allow: allow, hidden: hidden ?? false, position: entry.keyPosition)
        check(rule, section, &findings)
        return findings.problems.count == before ? rule : nil
    }

    private static func check(_ rule: ArgumentRule, _ section: Section, _ findings: inout Findings) {
        let name = quoted(rule.name)
        if rule.name.isEmpty { findings.add("an argument has no name", at: rule.position, fix: "write the argument's name before the colon") }
        if rule.fixed == nil && rule.default == nil && rule.allow == nil && section["hidden"] == nil {
            findings.add("the argument \(name) has no rule", at: rule.position, fix: "write fixed, default, allow or hidden, or remove it")
        }
        if rule.fixed != nil, let other = ["default", "allow", "hidden"].first(where: { section[$0] != nil }) {
            findings.add(
                "the argument \(name) is `fixed`, so `\(other)` says nothing", at: section.position(of: other), fix: "remove one of the two")
        }
        if rule.hidden && rule.allow != nil {
            findings.add(
                "the argument \(name) is `hidden`, so no value of the caller's is allowed", at: section.position(of: "allow"),
                fix: "remove `allow` or `hidden`")
        }
        if let value = rule.default, let allow = rule.allow, !allow.contains(value), rule.fixed == nil {
            findings.add(
                "the default of \(name) is not among the values of `allow`", at: section.position(of: "default"),
                fix: "add it there, or choose another")
        }
    }

    private static func values(_ node: YAMLNode, _ findings: inout Findings) -> [JSONValue]? {
        guard let elements = node.elements("allow", &findings) else { return nil }
        if elements.isEmpty {
            findings.add("`allow` is empty, so no value would be allowed", at: node.position, fix: "name the values, or use `hidden: true`")
        }
        var values: [JSONValue] = []
        for element in elements {
            guard let value = json(element, &findings) else { continue }
            if values.contains(value) {
                findings.add("`allow` names \(element.found) twice", at: element.position, fix: "remove one")
            }
            values.append(value)
        }
        return values
    }

    private static func json(_ node: YAMLNode, _ findings: inout Findings) -> JSONValue? {
        findings.value { () throws(ConfigurationError) in try node.json() }
    }
}
