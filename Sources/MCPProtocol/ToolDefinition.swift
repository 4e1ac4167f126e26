import JSON

/// A tool as an upstream lists it.
package struct ToolDefinition: ListElement {
    package let name: String
    /// The whole definition as the upstream spelt it, an object.
    package let bytes: [UInt8]
    /// The same as a tree.
    package let json: JSONValue
    /// The parameters that are mirrored in headers.
    package let headerParameters: [HeaderParameter]

    /// Throws a text for the log when the definition can't be used: no name, no object schema, or malformed `x-mcp-header`
    /// annotations (MCP 2026-07-28 server/tools, "x-mcp-header").
    package init(parsing bytes: [UInt8]) throws(Unusable) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw Unusable(reason: "a tool that has \(error)")
        }
        guard let name = json["name"]?.string, !name.isEmpty else { throw Unusable(reason: "a tool without a name") }
        guard json["inputSchema"]?.members != nil else { throw Unusable(reason: "tool “\(name)” has no inputSchema object") }
        self.name = name
        self.bytes = bytes
        self.json = json
        do {
            headerParameters = try HeaderParameter.all(in: json["inputSchema"] ?? .null)
        } catch {
            throw Unusable(reason: "tool “\(name)”: \(error.reason)")
        }
    }
}
