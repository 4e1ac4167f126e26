/// A revision of the Model Context Protocol, oldest first.
package enum Revision: String, CaseIterable, Comparable, Sendable {
    case v2024_11_05 = "2024-11-05"
    case v2025_03_26 = "2025-03-26"
    case v2025_06_18 = "2025-06-18"
    case v2025_11_25 = "2025-11-25"
    case v2026_07_28 = "2026-07-28"

    package static let latestLegacy = v2025_11_25
    package static let latestModern = v2026_07_28
    /// All of them, the preferred first: what `server/discover` and error −32022 name.
    package static let supported = Array(allCases.reversed())

    /// Asked several times in a call: the newest is the likeliest, and strings as short as these are compared at once.
    package init?(rawValue: String) {
        guard let known = Self.supported.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    /// MCP 2026-07-28 basic/versioning, "Terminology".
    package var era: Era { self >= .v2026_07_28 ? .modern : .legacy }

    package static func < (a: Revision, b: Revision) -> Bool { a.rawValue < b.rawValue }
}

/// How a peer opens: `legacy` with an `initialize` handshake, `modern` with metadata in every request.
package enum Era: String, Hashable, Sendable {
    case legacy, modern
}
