/// A tool, a prompt or a resource, or several by a pattern, of an upstream that is not there to say which it has and of what class they are.
package struct UnknownSubject: Sendable {
    package let kind: Subject.Kind
    /// The exposed name, or the URI.
    package let name: Glob
    package let upstream: String
    /// What the upstream calls it.
    package let upstreamName: Glob

    package init(_ kind: Subject.Kind, name: Glob, upstream: String, upstreamName: Glob) {
        self.kind = kind
        self.name = name
        self.upstream = upstream
        self.upstreamName = upstreamName
    }
}

/// What the rules that concern some callers say of subjects that are not known.
struct UnknownSubjectRules: Sendable {
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
    func allowance(of subject: UnknownSubject) -> Decision? {
        if deny.contains(where: { $0.covers(subject) }) { return nil }
        if let open { return Decision(.allowed, by: open) }
        return allow.first { $0.rule.mayConcern(subject) }.map { Decision(.allowed, by: $0.rule.reference, role: $0.role) }
    }
}

extension Rule {
    fileprivate func mayConcern(_ subject: UnknownSubject) -> Bool {
        switch matter {
        case .everything: true
        case .toolClass: subject.kind == .tool
        case .tools, .prompts, .resources: glob(for: subject)?.intersects(name(of: subject)) ?? false
        }
    }

    /// Whether it is about everything that is meant, whatever its class.
    fileprivate func covers(_ subject: UnknownSubject) -> Bool {
        if let upstream, !upstream.matches(subject.upstream) { return false }
        switch matter {
        case .everything: return true
        case .toolClass: return false
        case .tools, .prompts, .resources:
            guard let glob = glob(for: subject) else { return false }
            return glob.isEverything || name(of: subject).literal.map(glob.matches) == true
        }
    }

    /// The pattern, where it is about subjects of that kind.
    private func glob(for subject: UnknownSubject) -> Glob? {
        switch (matter, subject.kind) {
        case (.tools(let glob), .tool), (.prompts(let glob), .prompt), (.resources(let glob), .resource): glob
        default: nil
        }
    }

    private func name(of subject: UnknownSubject) -> Glob { isOfUpstream ? subject.upstreamName : subject.name }
}
