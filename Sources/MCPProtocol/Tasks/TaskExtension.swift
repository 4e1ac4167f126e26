import JSON

/// The tasks of the modern era, an extension (io.modelcontextprotocol/tasks, SEP-2663).
package enum TaskExtension {
    package static let name = "io.modelcontextprotocol/tasks"
    /// A tasks message's other end under `_meta` (MCP 2025-11-25 basic/utilities/tasks, "Related Task Metadata").
    package static let relatedTask = "io.modelcontextprotocol/related-task"

    /// The capability as either side declares it.
    package static let capabilities: JSONValue = ["extensions": .object([.init(name, [:])])]

    /// Whether a client's capabilities, a JSON object, declare it.
    package static func isDeclared(in capabilities: [UInt8]) -> Bool {
        (try? JSONValue(parsing: capabilities))?["extensions"]?[name]?.members != nil
    }

    /// The same capabilities with it among them.
    package static func declared(in capabilities: [UInt8]) -> [UInt8] {
        var capabilities = (try? JSONValue(parsing: capabilities)) ?? [:]
        var extensions = capabilities["extensions"] ?? [:]
        extensions[name] = [:]
        capabilities["extensions"] = extensions
        return capabilities.bytes
    }

    /// Whether an error's `data` says that the client lacks it.
    package static func isMissing(accordingTo data: JSONValue?) -> Bool { data?["requiredCapabilities"]?["extensions"]?[name] != nil }

    /// Error −32021 for a client that has not declared it.
    package static let missing = ProtocolError(
        .missingClientCapability, "Missing required client capability", data: ["requiredCapabilities": capabilities])
}
