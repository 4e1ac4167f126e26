import Auth
import Diagnostics

/// Reads `policy:` of gateway.yaml.
struct PolicyReader {
    let upstreams: KnownUpstreams

    func read(_ node: YAMLNode, _ findings: inout Findings) -> [Prohibition] {
        (node.elements("policy", &findings) ?? []).compactMap { readOne($0, &findings) }
    }

    private func readOne(_ node: YAMLNode, _ findings: inout Findings) -> Prohibition? {
        let keys = Section.Keys(
            known: ["deny", "reason", "unless"],
            refused: [
                "allow": ("`policy` only denies", "allow things in the roles of a virtual server"),
                "for": ("`for` is not a key of `policy`", "say whom it spares with `unless`"),
                "who": ("`who` is not a key of `policy`", "say whom it spares with `unless`"),
            ])
        if node.scalar != nil {
            findings.add("an entry of `policy` must be a mapping", at: node.position, fix: "write `- deny: UPSTREAM.TOOL`")
            return nil
        }
        guard let section = Section(node, "an entry of `policy`", keys, &findings) else { return nil }
        if !section.has("deny"), !section.hasRefusedKeys {
            findings.add("this entry does not say what it denies", at: node.position, fix: "write `deny: UPSTREAM.TOOL`")
        }
        let deny = section["deny"].map { RuleTextReader.rules($0, "deny", isOfUpstream: true, &findings) } ?? []
        for rule in deny { check(rule, &findings) }
        let reason = section["reason"].flatMap { $0.text("reason", &findings) }
        let unless = section["unless"].map { RuleTextReader.who($0, "unless", &findings) } ?? []
        if let everyone = unless.first(where: { $0.kind == .everyone }) {
            findings.add("`unless: everyone` spares all, so nothing is denied", at: everyone.reference.position, fix: "name users, groups or clients")
        }
        return Prohibition(deny: deny, reason: reason, unless: unless)
    }

    /// The upstream must exist; a pattern must match one.
    private func check(_ rule: Rule, _ findings: inout Findings) {
        guard let glob = rule.upstream, let places = upstreams.places else { return }
        if let name = glob.literal {
            _ = upstreams.check(name, at: rule.reference.position, &findings)
        } else if !places.keys.contains(where: glob.matches) {
            findings.add(
                "no upstream matches \(quoted(rule.reference.text))", at: rule.reference.position,
                fix: "the upstreams are \(places.keys.sorted().prefix(20).joined(separator: ", "))")
        }
    }
}
