import Auth
import Diagnostics

/// Who may use what under one configuration, for comparing it with another.
package struct AccessReach {
    private struct Server {
        let policy: AccessPolicy
        let subjects: [Subject]
        /// As it is written, where that does not say which tools there are, or which rules concern them.
        var wording: AccessWording?
    }

    private var servers: [String: Server] = [:]
    private var patterns: [WhoPattern] = []

    private let prohibitions: [Prohibition]

    package init(prohibitions: [Prohibition]) {
        self.prohibitions = prohibitions
        patterns = prohibitions.flatMap(\.unless)
    }

    /// Adds a virtual server whose upstreams are known.
    package mutating func add(_ exposure: Exposure) {
        add(exposure.definition, Server(policy: exposure.policy, subjects: exposure.subjects))
    }

    /// Adds a virtual server as it is written. Patterns and classes of tools are compared by their words.
    package mutating func add(_ definition: VirtualServerDefinition) {
        var subjects = definition.tools.map { selection in
            let pattern = selection.pattern
            return Subject(.tool, name: definition.exposedName(of: selection), upstream: pattern.upstream, upstreamName: pattern.glob, schema: [:])
        }
        subjects += definition.prompts.map { pattern in
            let name = definition.exposedName(of: pattern.glob, from: pattern.upstream)
            return Subject(.prompt, name: name, upstream: pattern.upstream, upstreamName: pattern.glob)
        }
        subjects += definition.resources.map { pattern in
            Subject(
                .resource, name: pattern.glob, upstream: pattern.upstream, upstreamName: pattern.glob, instances: Glob(pattern.glob))
        }
        let policy = AccessPolicy(definition.access, at: definition.accessPosition, prohibitions: prohibitions, subjects: subjects)
        add(definition, Server(policy: policy, subjects: subjects, wording: AccessWording(definition, prohibitions: prohibitions)))
    }

    private mutating func add(_ definition: VirtualServerDefinition, _ server: Server) {
        servers[definition.name] = server
        if case .roles(let roles) = definition.access { patterns += roles.flatMap(\.who) }
    }

    /// What changes for each user, group and client that a rule names, and for everyone else: `+` gained, `-` lost, `~` under other conditions.
    package func changes(to new: AccessReach) -> [String] {
        var lines: [String] = []
        var seen: Set<String> = []
        let named = (patterns + new.patterns).map { ($0.reference.text, Caller.typical(of: $0)) }.filter { seen.insert($0.0).inserted }
        let callers = (seen.contains("everyone") ? named : named + [("everyone", .anonymous)]).sorted { $0.0 < $1.0 }
        for name in Set(servers.keys).union(new.servers.keys).sorted() {
            let (before, after) = (servers[name]?.wording, new.servers[name]?.wording)
            if before?.isVague == true || after?.isVague == true {
                for change in (before ?? .nothing).changes(to: after ?? .nothing) {
                    lines.append("? \(name): can't tell without --connect: \(change)")
                }
                continue
            }
            let all = Self.terms(in: servers[name], of: .anonymous)
            let allNew = Self.terms(in: new.servers[name], of: .anonymous)
            for (who, caller) in callers {
                let (old, now) = (Self.terms(in: servers[name], of: caller), Self.terms(in: new.servers[name], of: caller))
                for tool in Set(old.keys).union(now.keys).sorted() {
                    // What changes for everyone is told once.
                    if who != "everyone", old[tool] == all[tool], now[tool] == allNew[tool] { continue }
                    switch (old[tool], now[tool]) {
                    case (nil, let terms?): lines.append("+ \(name): \(who) gains \(tool)" + Self.when(terms))
                    case (_?, nil): lines.append("- \(name): \(who) loses \(tool)")
                    case (let before?, let after?) where before != after:
                        lines.append("~ \(name): \(who) keeps \(tool)" + (after.isEmpty ? ", now with any arguments" : ", now by \(after)"))
                    default: break
                    }
                }
            }
        }
        return lines
    }

    private static func when(_ terms: String) -> String { terms.isEmpty ? "" : ", by \(terms)" }

    private static func label(_ subject: Subject) -> String {
        let origin = "(\(subject.upstream).\(subject.upstreamName))"
        return switch subject.kind {
        case .tool: "\(subject.name) \(origin)"
        case .prompt: "prompt:\(subject.name) \(origin)"
        case .resource: "resource:\(subject.name) (\(subject.upstream))"
        }
    }

    /// By the exposed name and where it leads.
    private static func terms(in server: Server?, of caller: Caller) -> [String: String] {
        guard let server else { return [:] }
        let access = server.policy.access(of: caller)
        var terms: [String: String] = [:]
        for (index, subject) in server.subjects.enumerated() {
            terms[Self.label(subject)] = access.terms(of: index)
        }
        return terms
    }
}
