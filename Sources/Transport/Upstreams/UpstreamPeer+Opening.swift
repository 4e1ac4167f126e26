import JSON
import MCPProtocol

/// What the opening of a link came to.
enum Opening {
    case modern(UpstreamPeer)
    /// Not a modern server, as far as can be told.
    case notModern
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
    /// Whether it sends word of list changes to those who listen.
    var announcesTools: Bool { era == .modern && capabilities["tools"]?["listChanged"]?.bool == true }
}

extension UpstreamRequest {
    /// Opens the channel for list changes (MCP 2026-07-28 basic/patterns/subscriptions).
    static var listen: UpstreamRequest {
        UpstreamRequest("subscriptions/listen", members: Array(#""notifications":{"toolsListChanged":true}"#.utf8))
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
