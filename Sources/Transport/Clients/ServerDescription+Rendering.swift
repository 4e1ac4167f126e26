import JSON
import MCPProtocol

extension ServerDescription {
    /// What it can do, as that revision has it.
    ///
    /// `completions` is newer than the oldest revisions, which have completion without saying so. `tasks.list` is none of it: nothing is kept
    /// of tasks, so nobody could tell whose each is (docs/decisions/0015-tasks-are-their-ids.md).
    private func capabilities(in revision: Revision) -> JSONValue {
        var capabilities = capabilities
        if revision < .v2025_03_26 { capabilities["completions"] = nil }
        guard capabilities["tools"] != nil else { return capabilities }
        if revision == .v2025_11_25 { capabilities["tasks"] = ["cancel": [:], "requests": ["tools": ["call": [:]]]] }
        if revision.era == .modern { capabilities["extensions"] = TaskExtension.capabilities["extensions"] }
        return capabilities
    }

    /// The changes of lists that its clients hear of.
    var listChanges: [ChangeFeed.Change] { Subscription.lists.filter { capabilities[$0.capability] != nil }.map(\.change) }

    private var serverInfo: JSONValue {
        var info: JSONValue = ["name": .string(name), "version": .string(Product.version)]
        info["title"] = title.map { .string($0) }
        return info
    }

    /// The answer to `initialize` in that revision (MCP 2025-11-25 basic/lifecycle).
    func initialized(_ revision: Revision, id: some Collection<UInt8>) -> Reply {
        var result: JSONValue = ["protocolVersion": .string(revision.rawValue), "capabilities": capabilities(in: revision), "serverInfo": serverInfo]
        result["instructions"] = instructions.map { .string($0) }
        return Reply(result: Array(result.bytes.dropFirst().dropLast()), id: id, era: .legacy)
    }

    /// The answer to `server/discover` (MCP 2026-07-28 server/discover). Anyone who may ask gets the same.
    func discovered(id: some Collection<UInt8>) -> Reply {
        var result: JSONValue = [
            "supportedVersions": .array(Revision.supported.map { .string($0.rawValue) }), "capabilities": capabilities(in: .latestModern),
            "resultType": "complete", "ttlMs": 60_000, "cacheScope": "public",
        ]
        result["instructions"] = instructions.map { .string($0) }
        result["_meta"] = .object([.init(MetaKey.serverInfo, serverInfo)])
        return Reply(result: Array(result.bytes.dropFirst().dropLast()), id: id, era: .legacy)
    }
}
