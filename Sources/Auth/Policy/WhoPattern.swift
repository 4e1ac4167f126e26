import Diagnostics

/// Whom a rule is for: `user:GLOB`, `group:GLOB`, `client:GLOB` or `everyone`.
package struct WhoPattern: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable { case user, group, client, everyone }

    package let kind: Kind
    package let glob: Glob
    package let reference: RuleReference

    /// Throws what is wrong with the text and how to put it right.
    package init(parsing text: String, at position: SourcePosition) throws(RuleError) {
        reference = RuleReference(text: text, position: position)
        if text == "everyone" {
            (kind, glob) = (.everyone, Glob("*"))
            return
        }
        let prefix = String(text.prefix { $0 != ":" })
        let name = String(text.dropFirst(prefix.count + 1))
        guard let kind = Kind(rawValue: prefix), kind != .everyone, text.utf8.count > prefix.utf8.count else {
            let near = suggestion(for: prefix, among: Kind.allCases.map(\.rawValue))
            let isPlain = prefix.utf8.count == text.utf8.count
            var fix = near.map { $0 == "everyone" ? "did you mean everyone?" : "did you mean \($0):\(isPlain ? "NAME" : name)?" }
            if fix == nil {
                fix = isPlain ? "write user:\(text), group:\(text), client:\(text) or everyone" : "write user:, group:, client: or everyone"
            }
            throw RuleError("\"\(text)\" does not say whether it is a user, a group or a client", at: 0, fix: fix ?? "")
        }
        guard !name.isEmpty else { throw RuleError("\"\(text)\" names nobody", at: 0, fix: "write \(prefix):NAME, or \(prefix):* for all") }
        guard name.first != " ", name.last != " " else { throw RuleError("\"\(text)\" has a blank around the name", at: 0, fix: "remove it") }
        self.kind = kind
        glob = Glob(name)
    }

    /// By exact code points: no case folding, no normalisation.
    package func matches(_ caller: Caller) -> Bool {
        switch kind {
        case .everyone: return true
        case .user: return caller.user.map(glob.matches) ?? false
        case .client: return caller.client.map(glob.matches) ?? false
        case .group:
            for group in caller.groups where glob.matches(group.description) { return true }
            return false
        }
    }
}
