import JSON

/// How long a result may be kept, and whether several callers may share it (MCP 2026-07-28 server/utilities/caching).
package struct CacheHint: Hashable, Sendable {
    /// In milliseconds.
    package var ttl: Int
    /// Whether it is for nobody but the caller.
    package var isPrivate: Bool

    package init(ttl: Int, isPrivate: Bool) {
        self.ttl = ttl
        self.isPrivate = isPrivate
    }

    /// What is good for both.
    package func merged(with other: CacheHint) -> CacheHint {
        CacheHint(ttl: min(ttl, other.ttl), isPrivate: isPrivate || other.isPrivate)
    }

    /// `"ttlMs":…,"cacheScope":…`.
    package var members: [UInt8] { Array("\"ttlMs\":\(ttl),\"cacheScope\":\"\(isPrivate ? "private" : "public")\"".utf8) }
}

extension Message {
    /// The hint of a result; nil where it has none. A negative time counts as none at all, as does one that is no integer.
    package var cacheHint: CacheHint? {
        guard let result, let ttl = result.ttlMs.map(value)?.integer else { return nil }
        return CacheHint(ttl: max(ttl, 0), isPrivate: result.cacheScope.map(value) != "public")
    }

    /// Whether the result has just that hint, in the form that it must have.
    package func says(_ hint: CacheHint) -> Bool {
        guard let result else { return false }
        return result.ttlMs.map(value)?.integer == hint.ttl && result.cacheScope.map(value) == (hint.isPrivate ? "private" : "public")
    }
}
