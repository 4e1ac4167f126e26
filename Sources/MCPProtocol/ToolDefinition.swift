import JSON

/// A tool as an upstream lists it.
package struct ToolDefinition: Hashable, Sendable {
    package let name: String
    /// The whole definition, unknown members included.
    package let json: JSONValue
    /// The parameters that are mirrored in headers.
    package let headerParameters: [HeaderParameter]

    /// Throws a text for the log when the definition can't be used: no name, no object schema, or malformed `x-mcp-header`
    /// annotations (MCP 2026-07-28 server/tools, "x-mcp-header").
    package init(_ json: JSONValue) throws(Unusable) {
        guard let name = json["name"]?.string, !name.isEmpty else { throw Unusable(reason: "a tool without a name") }
        guard json["inputSchema"]?.members != nil else { throw Unusable(reason: "tool “\(name)” has no inputSchema object") }
        self.name = name
        self.json = json
        do {
            headerParameters = try HeaderParameter.all(in: json["inputSchema"] ?? .null)
        } catch {
            throw Unusable(reason: "tool “\(name)”: \(error.reason)")
        }
    }

    package struct Unusable: Error {
        package let reason: String
    }
}
