import MCPProtocol

/// What one upstream offers, as it was last read.
package struct Catalogue: Sendable {
    package let offer: Offer
    /// The names of tools that count as known for `new_tools: hold`; later ones are held back from patterns.
    package let baseline: Set<String>

    package init(_ offer: Offer, baseline: Set<String>) {
        self.offer = offer
        self.baseline = baseline
    }

    /// In the upstream's order.
    var tools: [ToolDefinition] { offer.tools }
}
