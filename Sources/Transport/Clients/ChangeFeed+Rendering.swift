import JSON
import MCPProtocol

extension ChangeFeed.Change {
    /// The notification's method; nil for what there is no notification of.
    private var method: MCPProtocol.Method? {
        switch self {
        case .tools: .toolsChanged
        case .prompts: .promptsChanged
        case .resources: .resourcesChanged
        case .updated: .resourceUpdated
        case .said(let method, _): method
        case .asked, .lost, .end: nil
        }
    }

    /// The message for a legacy client, a JSON-RPC message; nil where there is none.
    var legacyNotification: [UInt8]? {
        if case .asked(let message) = self { return message }
        guard let method else { return nil }
        switch self {
        case .updated(let uri): return JSONValue.notification(method.rawValue, ["uri": .string(uri)])
        case .said(_, let params): return JSONValue.notification(method.rawValue, params)
        default: return JSONValue.notification(method.rawValue)
        }
    }

    /// The same on a `subscriptions/listen`; `tag` is the `_meta` that names it.
    func notification(tagged tag: JSONValue) -> [UInt8]? {
        guard let method else { return nil }
        var params: JSONValue = ["_meta": tag]
        if case .updated(let uri) = self { params["uri"] = .string(uri) }
        if case .said(_, let said) = self { for member in said.members ?? [] where member.key != "_meta" { params[member.key] = member.value } }
        return JSONValue.notification(method.rawValue, params)
    }
}
