/// One entry of `allow:` or `deny:`: what it is about, and under which conditions on the arguments.
package struct Rule: Hashable, Sendable {
    /// What a rule is about.
    package enum Matter: Hashable, Sendable {
        /// `*`: tools, prompts and resources.
        case everything
        case tools(Glob)
        case toolClass(ToolClass)
        case prompts(Glob)
        /// By URI.
        case resources(Glob)
    }

    package let matter: Matter
    /// Only in `policy`, where names are the upstream's own; nil for any upstream.
    package let upstream: Glob?
    /// Whether names are the upstream's own: `policy`.
    package let isOfUpstream: Bool
    /// All must hold.
    package let conditions: [Condition]
    package let reference: RuleReference

    /// Whether it is about this thing, under some arguments at least.
    package func concerns(_ subject: Subject) -> Bool {
        if let upstream, !upstream.matches(subject.upstream) { return false }
        let name = isOfUpstream ? subject.upstreamName : subject.name
        switch matter {
        case .everything: return true
        case .tools(let glob): return subject.kind == .tool && glob.matches(name)
        case .toolClass(let wanted): return subject.kind == .tool && subject.toolClass.contains(wanted)
        case .prompts(let glob): return subject.kind == .prompt && glob.matches(name)
        case .resources(let glob): return subject.kind == .resource && glob.matches(name)
        }
    }

    /// Whether it is about some URI that the template stands for.
    func concernsInstance(of subject: Subject) -> Bool {
        guard case .resources(let glob) = matter, subject.kind == .resource, let instances = subject.instances else { return false }
        return upstream?.matches(subject.upstream) ?? true && glob.intersects(instances)
    }
}
