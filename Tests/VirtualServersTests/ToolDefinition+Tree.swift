import JSON
import MCPProtocol

extension ToolDefinition {
    /// From a tree, for short tests.
    init(_ json: JSONValue) throws(Unusable) { try self.init(parsing: json.bytes) }
}
