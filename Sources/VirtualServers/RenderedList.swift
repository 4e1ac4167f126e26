import MCPProtocol

/// One list, as pages ready to be sent.
package struct RenderedList: Equatable, Sendable {
    /// Each page's elements as JSON, joined by commas; at least one page.
    package let pages: [[UInt8]]
    /// The same for clients of the legacy era.
    package let legacyPages: [[UInt8]]

    init(_ listings: [[UInt8]], legacy: [[UInt8]]? = nil, pageLength: Int) {
        pages = Self.pages(of: listings, length: pageLength)
        legacyPages = legacy.map { Self.pages(of: $0, length: pageLength) } ?? pages
    }

    package func pages(for era: Era) -> [[UInt8]] { era == .modern ? pages : legacyPages }

    private static func pages(of listings: [[UInt8]], length: Int) -> [[UInt8]] {
        stride(from: 0, to: max(listings.count, 1), by: length).map { start in
            Array(listings[start..<min(start + length, listings.count)].joined(separator: [UInt8(ascii: ",")]))
        }
    }
}
