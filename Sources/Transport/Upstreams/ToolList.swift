import MCPProtocol

/// A list of tools as it was read once; what was rendered from it is good for as long as it is the same object.
package final class ToolList: Sendable {
    package let tools: [ToolDefinition]

    package init(_ tools: [ToolDefinition]) { self.tools = tools }
}
