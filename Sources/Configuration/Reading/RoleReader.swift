import Auth
import Diagnostics
import VirtualServers

/// Reads `roles:` of a virtual server.
struct RoleReader {
    let naming: VirtualServerDefinition.Naming

    func read(_ node: YAMLNode, _ findings: inout Findings) -> [Role] {
        guard let entries = node.entries("`roles`", &findings) else { return [] }
        if entries.isEmpty {
            findings.add("`roles` is empty, so nobody may use anything", at: node.position, fix: "write a role, or `access: everyone`")
        }
        return entries.compactMap { readOne($0, &findings) }
    }

    private func readOne(_ entry: YAMLNode.Entry, _ findings: inout Findings) -> Role? {
        let name = quoted(entry.key)
        let keys = Section.Keys(
            known: ["who", "allow", "deny"],
            refused: [
                "unless": ("`unless` belongs to `policy` in gateway.yaml", "write another role"),
                "tools": ("a role has no `tools`", "write `allow`"),
            ])
        guard let section = Section(entry.value, "the role \(name)", keys, &findings) else { return nil }
        if entry.key.isEmpty || entry.key.utf8.count > 64 {
            findings.add("the role's name \(name) is empty or longer than 64 bytes", at: entry.keyPosition, fix: "give it a short name")
        }
        let who = section["who"].map { RuleTextReader.who($0, "who", &findings) }
        if who == nil {
            findings.add("the role \(name) does not say who has it", at: entry.keyPosition, fix: "write `who: [group:NAME]`, or `who: [everyone]`")
        }
        let allow = section["allow"].map { RuleTextReader.rules($0, "allow", hasPlainNames: naming == .plain, &findings) }
        let deny = section["deny"].map { RuleTextReader.rules($0, "deny", hasPlainNames: naming == .plain, &findings) }
        if allow == nil, deny == nil, !section.has("allow"), !section.has("deny") {
            findings.add("the role \(name) neither allows nor denies anything", at: entry.keyPosition, fix: "write `allow: [TOOL]`")
        }
        return Role(name: entry.key, who: who ?? [], allow: allow ?? [], deny: deny ?? [], position: entry.keyPosition)
    }
}

/// Checks rules against what the selections can expose at all: a name that none of them can give is a mistake.
struct ExposableNames {
    private let selections: [ToolSelection]
    private let naming: VirtualServerDefinition.Naming
    private let tools: [Glob]
    private let exact: [String]
    private let prompts: [Glob]
    private let hasResources: Bool

    init(
        tools: [ToolSelection], prompts: [UpstreamPattern], resources: [UpstreamPattern], _ naming: VirtualServerDefinition.Naming
    ) {
        selections = tools
        self.naming = naming
        self.tools = tools.map { Glob($0.exposedName ?? Self.exposed($0.pattern, naming)) }
        exact = tools.filter(\.pattern.isExact).map { ExposedName.of($0, naming) }
        self.prompts = prompts.map { Glob(Self.exposed($0, naming)) }
        hasResources = !resources.isEmpty
    }

    private static func exposed(_ pattern: UpstreamPattern, _ naming: VirtualServerDefinition.Naming) -> String {
        naming == .plain ? pattern.glob : "\(pattern.upstream)_\(pattern.glob)"
    }

    func check(_ roles: [Role], _ findings: inout Findings) {
        for role in roles {
            for rule in role.allow { check(rule, isDeny: false, &findings) }
            for rule in role.deny { check(rule, isDeny: true, &findings) }
        }
    }

    private func check(_ rule: Rule, isDeny: Bool, _ findings: inout Findings) {
        checkMatter(of: rule, &findings)
        guard let reason = RuleCheck.impossibility(of: rule, isDeny: isDeny, in: selections, naming) else { return }
        let what = "\(quoted(rule.reference.text)) can never match: \(reason)"
        findings.add(what, at: rule.reference.position, fix: "mend the condition, or remove the rule")
    }

    private func checkMatter(of rule: Rule, _ findings: inout Findings) {
        let position = rule.reference.position
        let text = quoted(rule.reference.text)
        switch rule.matter {
        case .everything: break
        case .tools(let glob):
            guard !tools.contains(where: glob.intersects) else { return }
            let near = glob.literal.flatMap { suggestion(for: $0, among: exact) }
            let isUpstreamName = glob.literal.flatMap { name in exact.first { $0.hasSuffix("_" + name) } }
            let known = exact.isEmpty ? "see them with `switchboard tools`" : "the names are \(exact.prefix(20).joined(separator: ", "))"
            findings.add(
                "no tool here can be called \(text)", at: position, fix: (near ?? isUpstreamName).map { "did you mean \"\($0)\"?" } ?? known)
        case .toolClass:
            if tools.isEmpty { findings.add("there are no tools here, so \(text) matches none", at: position, fix: "remove it") }
        case .prompts(let glob):
            guard !prompts.contains(where: glob.intersects) else { return }
            findings.add(
                prompts.isEmpty ? "there are no prompts here, so \(text) matches none" : "no prompt here can be called \(text)", at: position,
                fix: prompts.isEmpty ? "write `prompts: [UPSTREAM.*]`, or remove it" : "look at `prompts`")
        case .resources:
            if !hasResources {
                findings.add(
                    "there are no resources here, so \(text) matches none", at: position, fix: "write `resources: [UPSTREAM.*]`, or remove it")
            }
        }
    }
}
