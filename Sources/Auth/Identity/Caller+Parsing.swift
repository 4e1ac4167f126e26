extension Caller {
    /// Whom `--as` names: `user:ID` or `client:ID` or both, then `group:G` as often as need be, joined by commas; or `anonymous`.
    /// `\,` is a comma in a name.
    ///
    /// Only for commands on this machine: nobody asked them. Throws what is wrong and how to put it right.
    package static func assumed(parsing text: String) throws(RuleError) -> Caller {
        if text == "anonymous" { return .anonymous }
        var user: String?
        var client: String?
        var groups: Set<GroupName> = []
        for part in parted(text) {
            let kind = part.prefix { $0 != ":" }
            let id = String(part.dropFirst(kind.count + 1))
            guard CallerName.isFit(id) || !["user", "client", "group"].contains(kind) else {
                throw RuleError("\"\(part)\" names nobody", at: 0, fix: "write user:ID or client:ID, then ,group:G for each group")
            }
            switch kind {
            case "user" where user == nil: user = id
            case "client" where client == nil: client = id
            case "group": groups.insert(GroupName(id))
            case "user", "client": throw RuleError("\"\(kind):\" stands there twice", at: 0, fix: "name one")
            default:
                throw RuleError(
                    "\"\(part)\" is neither user:, client: nor group:", at: 0,
                    fix: "write user:ID or client:ID, then ,group:G for each group, without blanks; a comma in a name is \\,")
            }
        }
        guard user != nil || client != nil else {
            throw RuleError("\"\(text)\" says in which groups, not who", at: 0, fix: "write user:ID,\(text)")
        }
        return Caller(.assumed, user: user, client: client, groups: groups)
    }

    /// What stands between the commas; `\,` parts nothing.
    private static func parted(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if character == ",", !isEscaped {
                parts.append("")
            } else if character == "\\", !isEscaped {
                isEscaped = true
                continue
            } else {
                if isEscaped, character != ",", character != "\\" { parts[parts.count - 1].append("\\") }
                parts[parts.count - 1].append(character)
            }
            isEscaped = false
        }
        if isEscaped { parts[parts.count - 1].append("\\") }
        return parts
    }

    /// The caller that a pattern of a rule describes, for comparing configurations: a user, a client, or anyone in a group.
    package static func typical(of pattern: WhoPattern) -> Caller {
        let name = String(pattern.reference.text.dropFirst(pattern.kind.rawValue.count + 1))
        switch pattern.kind {
        case .everyone: return .anonymous
        case .user: return Caller(.assumed, user: name)
        case .client: return Caller(.assumed, client: name)
        case .group: return Caller(.assumed, groups: [GroupName(name)])
        }
    }
}
