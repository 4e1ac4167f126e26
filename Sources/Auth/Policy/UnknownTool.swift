/// A tool, or several by a pattern, of an upstream that is not there to say which it has and of what class they are.
package struct UnknownTool: Sendable {
    /// The exposed name.
    package let name: Glob
    package let upstream: String
    /// What the upstream calls it.
    package let upstreamName: Glob

    package init(name: Glob, upstream: String, upstreamName: Glob) {
        self.name = name
        self.upstream = upstream
        self.upstreamName = upstreamName
    }
}

/// What the rules that concern some callers say of tools that are not known.
struct UnknownToolRules: Sendable {
    /// `access: everyone`, and where it stands.
    private let open: RuleReference?
    private let allow: [(rule: Rule, role: String)]
    private let deny: [Rule]

    init(open: RuleReference?, roles: [Role], prohibitions: [Prohibition]) {
        self.open = open
        allow = roles.flatMap { role in role.allow.map { ($0, role.name) } }
        deny = (roles.flatMap(\.deny) + prohibitions.flatMap(\.deny)).filter(\.conditions.isEmpty)
    }

    /// The first rule that may allow some of it, where none denies all of it. A class may be the tool's.
    func allowance(of tool: UnknownTool) -> Decision? {
        if deny.contains(where: { $0.covers(tool) }) { return nil }
        if let open { return Decision(.allowed, by: open) }
        return allow.first { $0.rule.mayConcern(tool) }.map { Decision(.allowed, by: $0.rule.reference, role: $0.role) }
    }
}

extension Rule {
    fileprivate func mayConcern(_ tool: UnknownTool) -> Bool {
        switch matter {
        case .everything, .toolClass: true
        case .tools(let glob): glob.intersects(isOfUpstream ? tool.upstreamName : tool.name)
        case .prompts, .resources: false
        }
    }

    /// Whether it is about every tool that is meant, whatever its class.
    fileprivate func covers(_ tool: UnknownTool) -> Bool {
        if let upstream, !upstream.matches(tool.upstream) { return false }
        switch matter {
        case .everything: return true
        case .tools(let glob): return glob.isEverything || (isOfUpstream ? tool.upstreamName : tool.name).literal.map(glob.matches) == true
        case .toolClass, .prompts, .resources: return false
        }
    }
}
