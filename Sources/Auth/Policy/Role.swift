import Diagnostics

/// Who may do what in one virtual server: one entry of `roles:`.
package struct Role: Hashable, Sendable {
    package let name: String
    package let who: [WhoPattern]
    package let allow: [Rule]
    package let deny: [Rule]
    package let position: SourcePosition

    package init(name: String, who: [WhoPattern], allow: [Rule], deny: [Rule], position: SourcePosition) {
        self.name = name
        self.who = who
        self.allow = allow
        self.deny = deny
        self.position = position
    }

    package func includes(_ caller: Caller) -> Bool { who.contains { $0.matches(caller) } }
}

/// What nobody may do, whatever a virtual server says: one entry of `policy:`.
package struct Prohibition: Hashable, Sendable {
    package let deny: [Rule]
    /// For people who read the log; not told to callers.
    package let reason: String?
    /// Whom it spares.
    package let unless: [WhoPattern]

    package init(deny: [Rule], reason: String? = nil, unless: [WhoPattern] = []) {
        self.deny = deny
        self.reason = reason
        self.unless = unless
    }

    package func binds(_ caller: Caller) -> Bool { !unless.contains { $0.matches(caller) } }
}

/// Who may use a virtual server.
package enum AccessRule: Hashable, Sendable {
    /// All callers that the gateway lets in: `access: everyone`.
    case everyone
    case roles([Role])
}

extension Prohibition {
    /// What it says, wherever it stands.
    package var text: [[String]] { [deny.map(\.reference.text), unless.map(\.reference.text)] }
}

extension AccessRule {
    /// What it says, wherever it stands.
    package var text: [[String]] {
        guard case .roles(let roles) = self else { return [] }
        return roles.flatMap { role in
            [[role.name], role.who.map(\.reference.text), role.allow.map(\.reference.text), role.deny.map(\.reference.text)]
        }
    }
}
