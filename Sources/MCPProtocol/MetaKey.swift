/// The keys under `_meta` that the protocol reserves for itself (MCP 2026-07-28 basic/index, "_meta"), and our own.
package enum MetaKey {
    package static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    package static let clientInfo = "io.modelcontextprotocol/clientInfo"
    package static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    package static let logLevel = "io.modelcontextprotocol/logLevel"
    package static let serverInfo = "io.modelcontextprotocol/serverInfo"
    package static let subscriptionID = "io.modelcontextprotocol/subscriptionId"
    /// Ours: the name of the upstream that asks for sampling.
    package static let upstream = "switchboard/upstream"
}
