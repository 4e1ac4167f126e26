import JSON
import MCPProtocol

/// What `notifications/subscriptions/acknowledged` says (MCP 2026-07-28 basic/patterns/subscriptions, "Acknowledgment").
extension Message {
    /// Those of the resources asked for that it agrees to tell of; all, where it does not say.
    func agreedResources(of asked: [String]) -> Set<String> {
        guard let filter = params.notifications.map(value) else { return Set(asked) }
        return Set(filter["resourceSubscriptions"]?.array?.compactMap(\.string) ?? []).intersection(asked)
    }

    /// The id of the request that it answers to, which is one of ours; nil where it names none.
    var acknowledgedID: Int? { (try? JSONValue(parsing: bytes))?["params"]?["_meta"]?[MetaKey.subscriptionID]?.integer }
}
