import MCPProtocol

/// What one upstream offers, as it was last read.
package struct Catalogue: Sendable {
    /// In the upstream's order.
    package let tools: [ToolDefinition]
    /// The names that count as known for `new_tools: hold`; later ones are held back from patterns.
    package let baseline: Set<String>

    package init(tools: [ToolDefinition], baseline: Set<String>) {
        self.tools = tools
        self.baseline = baseline
    }
}
