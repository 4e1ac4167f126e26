import Auth

/// What a virtual server's file and `policy` say of who may use what, for comparing it where only the upstreams could tell what that means.
struct AccessWording {
    static let nothing = AccessWording(isVague: false, sayings: [])

    /// What is said, and how to say that it is new, or gone.
    private struct Saying: Hashable {
        let new: String
        let gone: String
    }

    /// Whether there are patterns or classes of tools, which mean what the upstreams have.
    let isVague: Bool
    private let sayings: [Saying]

    private init(isVague: Bool, sayings: [Saying]) {
        self.isVague = isVague
        self.sayings = sayings
    }

    init(_ definition: VirtualServerDefinition, prohibitions: [Prohibition]) {
        var sayings = definition.tools.map { selection in
            let name = "\(selection.pattern.upstream).\(selection.pattern.glob)" + (selection.exposedName.map { " as \($0)" } ?? "")
            return Saying(new: "`tools` has \(name) now", gone: "`tools` no longer has \(name)")
        }
        for (key, patterns) in [("prompts", definition.prompts), ("resources", definition.resources)] {
            sayings += patterns.map { pattern in
                let name = "\(pattern.upstream).\(pattern.glob)"
                return Saying(new: "`\(key)` has \(name) now", gone: "`\(key)` no longer has \(name)")
            }
        }
        if definition.naming == .plain { sayings.append(Saying(new: "`names` are plain now", gone: "`names` are no longer plain")) }
        if definition.newTools == .show { sayings.append(Saying(new: "`new_tools` are shown now", gone: "`new_tools` are no longer shown")) }
        var rules: [Rule] = []
        switch definition.access {
        case .everyone: sayings.append(Self.saying("everyone", "allowed", "*"))
        case .roles(let roles):
            rules = roles.flatMap { $0.allow + $0.deny }
            for role in roles {
                for who in role.who.map(\.reference.text) {
                    sayings += role.allow.map { Self.saying(who, "allowed", $0.reference.text) }
                    sayings += role.deny.map { Self.saying(who, "denied", $0.reference.text) }
                }
            }
        }
        for prohibition in prohibitions {
            let spared = prohibition.unless.map(\.reference.text).sorted().joined(separator: ", ")
            for rule in prohibition.deny where definition.upstreams.contains(where: { rule.upstream?.matches($0) ?? true }) {
                rules.append(rule)
                let text = rule.reference.text + (spared.isEmpty ? "" : " unless \(spared)")
                sayings.append(Saying(new: "`policy` denies \(text) now", gone: "`policy` no longer denies \(text)"))
            }
        }
        isVague = !definition.tools.allSatisfy(\.pattern.isExact) || rules.contains { if case .toolClass = $0.matter { true } else { false } }
        self.sayings = sayings
    }

    private static func saying(_ who: String, _ effect: String, _ what: String) -> Saying {
        Saying(new: "\(who) is \(effect) \(what) now", gone: "\(who) is no longer \(effect) \(what)")
    }

    /// What is new, then what is gone; empty where both say the same.
    func changes(to new: AccessWording) -> [String] {
        let (old, now) = (Set(sayings), Set(new.sayings))
        return now.subtracting(old).map(\.new).sorted() + old.subtracting(now).map(\.gone).sorted()
    }
}

extension VirtualServerDefinition {
    /// What clients call what a selection takes; for a pattern a pattern.
    func exposedName(of selection: ToolSelection) -> String { naming.exposedName(of: selection) }
}

extension VirtualServerDefinition.Naming {
    func exposedName(of selection: ToolSelection) -> String {
        selection.exposedName ?? exposedName(of: selection.pattern.glob, from: selection.pattern.upstream)
    }

    func exposedName(of name: String, from upstream: String) -> String { self == .plain ? name : "\(upstream)_\(name)" }
}
