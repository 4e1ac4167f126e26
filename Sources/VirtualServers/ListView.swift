import Auth
import JSON
import MCPProtocol
import Synchronization

/// What a virtual server has as some callers see it, rendered.
package final class ListView: Sendable {
    /// By the kind's number.
    private let lists: [RenderedList]
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
        lists = ListKind.allCases.map { kind in
            if kind == .tools {
                return isWhole ? exposure.list(of: kind) : RenderedList(listings, legacy: legacyListings, pageLength: pageLength)
            }
            let items = exposure.items(of: kind)
            let seen = items.filter { $0.isListed(for: access) }
            return seen.count == items.count ? exposure.list(of: kind) : RenderedList(seen.map(\.listing), pageLength: pageLength)
        }
    }

    package func list(of kind: ListKind) -> RenderedList { lists[kind.rawValue] }
}

extension ExposedItem {
    /// Whether callers with that access see it: where they may use it with some arguments at least.
    func isListed(for access: Access) -> Bool {
        guard let index else { return false }
        return access.narrowings(of: index, in: ArgumentSpace(schema: subject.schema ?? [:])) != nil
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
