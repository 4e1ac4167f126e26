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
        case .lost, .end: nil
        }
    }

    /// The notification for a legacy client, a JSON-RPC message; nil where there is none.
    var legacyNotification: [UInt8]? {
        guard let method else { return nil }
        if case .updated(let uri) = self { return JSONValue.notification(method.rawValue, ["uri": .string(uri)]) }
        return JSONValue.notification(method.rawValue)
    }

    /// The same on a `subscriptions/listen`; `tag` is the `_meta` that names it.
    func notification(tagged tag: JSONValue) -> [UInt8]? {
        guard let method else { return nil }
        var params: JSONValue = ["_meta": tag]
        if case .updated(let uri) = self { params["uri"] = .string(uri) }
        return JSONValue.notification(method.rawValue, params)
    }
}
