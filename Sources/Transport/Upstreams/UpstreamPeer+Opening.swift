import JSON
import MCPProtocol

/// What a probe with `server/discover` came to.
enum Opening {
    case modern(UpstreamPeer)
    /// It knows the revision that it has just refused, and may be asked once more.
    case again
    /// Not a modern server, as far as can be told.
    case notModern

    /// A server that refuses the revision says which ones it supports (MCP 2026-07-28 basic/versioning, "Unsupported Versions"); throws where
    /// none of them is ours.
    init(_ answer: Message, transport: String) throws(UpstreamError) {
        if let peer = answer.resultValue.flatMap({ UpstreamPeer(discovered: $0, transport: transport) }) {
            self = .modern(peer)
            return
        }
        guard let error = answer.errorValue, error["code"]?.integer == ErrorCode.unsupportedVersion.rawValue,
            let supported = error["data"]?["supported"]?.array?.compactMap(\.string), !supported.isEmpty
        else {
            self = .notModern
            return
        }
        let known = supported.compactMap(Revision.init)
        guard !known.isEmpty else {
            throw .violation("it speaks \(supported.prefix(5).map { "“\($0.prefix(40))”" }.joined(separator: ", ")), which the gateway does not")
        }
        self = known.contains(.latestModern) ? .again : .notModern
    }
}

extension UpstreamPeer {
    /// From the answer to `server/discover` (MCP 2026-07-28 server/discover); nil when no revision of ours is modern for both.
    init?(discovered result: JSONValue, transport: String) {
        let versions = (result["supportedVersions"]?.array ?? []).compactMap(\.string)
        guard versions.contains(Revision.latestModern.rawValue), result["capabilities"]?.members != nil else { return nil }
        self.init(
            revision: .latestModern, transport: transport, capabilities: result["capabilities"] ?? [:],
            serverInfo: result["_meta"]?[MetaKey.serverInfo], instructions: result["instructions"]?.string)
    }

    /// From the answer to `initialize` (MCP 2025-11-25 basic/lifecycle); throws where it chose a revision that we can't speak.
    init(initialized result: JSONValue, transport: String) throws(UpstreamError) {
        let version = result["protocolVersion"]?.string ?? ""
        guard let revision = Revision(rawValue: version), revision.era == .legacy else {
            throw .violation("it answered `initialize` with protocol version “\(version.prefix(40))”, which the gateway does not speak")
        }
        self.init(
            revision: revision, transport: transport, capabilities: result["capabilities"] ?? [:], serverInfo: result["serverInfo"],
            instructions: result["instructions"]?.string)
    }
}

extension UpstreamPeer {
    /// Whether it takes calls of tools as tasks where the tool says so (MCP 2025-11-25 basic/utilities/tasks, "Tool-Level Negotiation").
    var takesTasks: Bool { era == .legacy && capabilities["tasks"]?["requests"]?["tools"]?["call"] != nil }

    /// What a modern upstream can be listened to for, besides resources: members of the filter (MCP 2026-07-28
    /// basic/patterns/subscriptions, "Notification Filter").
    var announcedLists: [String] {
        ["tools", "prompts", "resources"].filter { capabilities[$0]?["listChanged"] == true }.map { "\($0)ListChanged" }
    }
}

extension UpstreamRequest {
    /// Opens a channel for changes of those lists (MCP 2026-07-28 basic/patterns/subscriptions).
    static func listen(for lists: [String]) -> UpstreamRequest { listen(.object(lists.map { .init($0, true) })) }

    /// Opens a channel for changes of those resources.
    static func listen(to resources: [String]) -> UpstreamRequest {
        listen(["resourceSubscriptions": .array(resources.map { .string($0) })])
    }

    private static func listen(_ filter: JSONValue) -> UpstreamRequest {
        UpstreamRequest("subscriptions/listen", members: Array("\"notifications\":".utf8) + filter.bytes)
    }

    static var discover: UpstreamRequest { UpstreamRequest("server/discover") }

    /// The opening of a legacy link, with what the upstream may ask of the clients at the other end.
    static func initialize(declaring abilities: ClientAbilities) -> UpstreamRequest {
        var members: [UInt8] = []
        members.append("\"protocolVersion\":")
        members.append(jsonString: Revision.latestLegacy.rawValue)
        members.append(",\"capabilities\":")
        members.append(contentsOf: abilities.capabilities.bytes)
        members.append(",\"clientInfo\":")
        members.append(contentsOf: Product.infoJSON)
        return UpstreamRequest("initialize", members: members)
    }
}

extension Message {
    /// The `result` as a tree, for our own reading.
    var resultValue: JSONValue? { result.flatMap { try? JSONValue(parsing: $0.range, of: bytes) } }
    var errorValue: JSONValue? { error.map(value) }

    /// An error that only a modern server sends (MCP 2026-07-28 basic/versioning, "Backward Compatibility").
    var isModernError: Bool { (-32022 ... -32020).contains(errorValue?["code"]?.integer ?? 0) }
}
