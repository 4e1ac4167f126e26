import Auth
import Synchronization

/// The tools as some callers see them, rendered.
package final class ListView: Sendable {
    /// Each page's tools as JSON, joined by commas.
    package let pages: [[UInt8]]
    /// The same for clients of the legacy era.
    package let legacyPages: [[UInt8]]
    /// Indices into the exposure's tools.
    package let tools: [Int]
    /// Keeps the identity by which the view is found.
    private let access: Access

    init(_ exposure: Exposure, for access: Access, pageLength: Int) {
        self.access = access
        var shown: [Int] = []
        var listings: [[UInt8]] = []
        var legacyListings: [[UInt8]] = []
        var isWhole = true
        for (index, tool) in exposure.tools.enumerated() {
            guard let narrowings = access.narrowings(of: index, in: tool.space) else {
                isWhole = false
                continue
            }
            isWhole = isWhole && narrowings.isEmpty
            let (listing, legacy) = tool.listings(narrowedBy: narrowings)
            shown.append(index)
            listings.append(listing)
            legacyListings.append(legacy)
        }
        tools = shown
        pages = isWhole ? exposure.pages : Exposure.pages(of: listings, length: pageLength)
        legacyPages = isWhole ? exposure.legacyPages : Exposure.pages(of: legacyListings, length: pageLength)
    }
}

/// The lists that were rendered already; callers with the same access share one.
final class ListViews: Sendable {
    private static let viewsMax = 64

    private let pageLength: Int
    private let known = Mutex<[ObjectIdentifier: ListView]>([:])

    init(pageLength: Int) { self.pageLength = pageLength }

    func view(of exposure: Exposure, for access: Access) -> ListView {
        let id = ObjectIdentifier(access)
        if let view = known.withLock({ $0[id] }) { return view }
        // Two callers may do it at once; the work is small and its outcome the same.
        let view = ListView(exposure, for: access, pageLength: pageLength)
        known.withLock { known in
            if known.count >= Self.viewsMax { known.removeAll() }
            known[id] = view
        }
        return view
    }
}
