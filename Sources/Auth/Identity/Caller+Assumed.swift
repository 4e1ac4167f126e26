/// Who is meant by `--as`, and why that can't be read.
package struct WhoError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// How to put it right.
    package let fix: String
}

extension Caller {
    /// The caller that `WHO` names: `user:ID`, `client:ID` or both, and any number of `group:G`, joined by commas.
    package init(assuming who: String) throws(WhoError) {
        let example = "write user:alice, client:my-agent or user:alice,group:engineers"
        var user: String?
        var client: String?
        var groups: Set<String> = []
        for part in who.split(separator: ",", omittingEmptySubsequences: false) {
            guard let colon = part.firstIndex(of: ":") else { throw WhoError(description: "“\(part)” does not say what it names", fix: example) }
            let name = String(part[part.index(after: colon)...])
            guard CallerName.isFit(name) else { throw WhoError(description: "“\(part)” names nobody", fix: example) }
            switch part[..<colon] {
            case "user" where user == nil: user = name
            case "client" where client == nil: client = name
            case "group": groups.insert(name)
            case "user", "client": throw WhoError(description: "“\(part)” is the second of its kind", fix: "name one \(part[..<colon])")
            default: throw WhoError(description: "“\(part[..<colon])” is none of user, client and group", fix: example)
            }
        }
        guard user != nil || client != nil else { throw WhoError(description: "“\(who)” names neither a user nor a client", fix: example) }
        self.init(.assumed, user: user, client: client, groups: groups)
    }
}
