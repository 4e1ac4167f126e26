import MCPProtocol

/// An upstream's offer as it was read once; what was rendered from it is good for as long as it is the same object.
package final class UpstreamList: Sendable {
    package let offer: Offer

    package init(_ offer: Offer) { self.offer = offer }

    package var tools: [ToolDefinition] { offer.tools }
}
