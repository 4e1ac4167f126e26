import Diagnostics
import Synchronization

/// The rules of one virtual server and of `policy`, held against what it exposes now: made once per snapshot, asked by list and call alike.
package final class AccessPolicy: Sendable {
    /// Whether what is shown depends on who asks.
    package let dependsOnCaller: Bool
    let prohibitions: [Prohibition]
    let roles: [Role]
    let subjects: [SubjectRules]
    /// `access: everyone`; nil where there are roles.
    let open: RuleReference?
    private let known: Mutex<Known>

    private static let callersMax = 4_096
    private static let accessesMax = 64

    private struct Known {
        var callers: [CallerKey: Access] = [:]
        var accesses: [[Bool]: Access] = [:]
    }

    /// `access` is where `access: everyone` stands.
    package convenience init(_ rule: AccessRule, at access: SourcePosition, prohibitions: [Prohibition], subjects: [Subject]) {
        switch rule {
        case .everyone:
            self.init(open: RuleReference(text: "access: everyone", position: access), roles: [], prohibitions: prohibitions, subjects: subjects)
        case .roles(let roles): self.init(open: nil, roles: roles, prohibitions: prohibitions, subjects: subjects)
        }
    }

    /// The same rules for something else.
    convenience init(_ other: AccessPolicy, for subject: Subject) {
        self.init(open: other.open, roles: other.roles, prohibitions: other.prohibitions, subjects: [subject])
    }

    private init(open: RuleReference?, roles: [Role], prohibitions: [Prohibition], subjects: [Subject]) {
        self.open = open
        self.prohibitions = prohibitions
        self.roles = roles
        self.subjects = subjects.map { Self.rules(for: $0, prohibitions, roles, open) }
        dependsOnCaller = prohibitions.contains { !$0.unless.isEmpty } || roles.contains { !$0.who.contains { $0.kind == .everyone } }
        known = Mutex(Known())
    }

    private static func rules(for subject: Subject, _ prohibitions: [Prohibition], _ roles: [Role], _ open: RuleReference?) -> SubjectRules {
        var rules = SubjectRules(subject)
        for (index, prohibition) in prohibitions.enumerated() {
            for rule in prohibition.deny { rules.add(rule, .deny, owner: index, reason: prohibition.reason) }
        }
        for (index, role) in roles.enumerated() {
            for rule in role.deny { rules.add(rule, .deny, owner: prohibitions.count + index, role: role.name) }
        }
        for (index, role) in roles.enumerated() {
            for rule in role.allow { rules.add(rule, .allow, owner: prohibitions.count + index, role: role.name) }
        }
        if let open { rules.addForEveryone(open) }
        return rules
    }

    private func active(for caller: Caller) -> [Bool] { prohibitions.map { $0.binds(caller) } + roles.map { $0.includes(caller) } }

    /// Decides on the use of something that was not known when the policy was made, and takes no arguments: a resource that is in no list.
    package func permit(_ caller: Caller, toUse subject: Subject, of server: String) throws(Denial) -> Permit {
        let rules = Self.rules(for: subject, prohibitions, roles, open)
        return try Access.permit(
            caller, under: Access.Standing(rules, active: active(for: caller)), called: subject.name, of: server, arguments: nil)
    }

    /// What the caller may do. Callers whom the same rules concern share one.
    package func access(of caller: Caller) -> Access {
        let key = CallerKey(caller)
        return known.withLock { known in
            if let access = known.callers[key] { return access }
            let active = active(for: caller)
            let access: Access
            if let shared = known.accesses[active] {
                access = shared
            } else {
                access = Access(self, active: active)
                // Rather forget all than grow; what is in use stays alive with its users.
                if known.accesses.count >= Self.accessesMax { known = Known() }
                known.accesses[active] = access
            }
            if known.callers.count >= Self.callersMax { known.callers.removeAll(keepingCapacity: true) }
            known.callers[key] = access
            return access
        }
    }
}

/// What rules ask of a caller, compared byte by byte: `==` of strings takes the Kelvin sign for a K.
private struct CallerKey: Hashable {
    let user: String?
    let client: String?
    let groups: Set<GroupName>

    init(_ caller: Caller) {
        user = caller.user
        client = caller.client
        groups = caller.groups
    }

    static func == (a: CallerKey, b: CallerKey) -> Bool {
        same(a.user, b.user) && same(a.client, b.client) && a.groups == b.groups
    }

    private static func same(_ a: String?, _ b: String?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.utf8.elementsEqual(b.utf8)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(user)
        hasher.combine(client)
        hasher.combine(groups.count)
    }
}
