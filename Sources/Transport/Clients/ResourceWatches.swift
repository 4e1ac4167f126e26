import Synchronization

/// The resources that one client watches, by URI.
package final class ResourceWatches: Sendable {
    /// What one client may watch at once.
    package static let countMax = 1_000

    private let watches = Mutex<[String: ResourceWatch]>([:])

    package init() {}

    var uris: [String] { watches.withLock { $0.keys.sorted() } }
    package var isFull: Bool { watches.withLock { $0.count >= Self.countMax } }

    package func add(_ watch: ResourceWatch) { watches.withLock { $0[watch.uri] = watch } }

    package func remove(_ uri: String) {
        // It may end with this, which takes other locks.
        let last = watches.withLock { $0.removeValue(forKey: uri) }
        withExtendedLifetime(last) {}
    }

    /// Whether one of those resources is watched at that source.
    func covers(_ wholes: [String], from source: any ResourceSource) -> Bool {
        watches.withLock { watches in
            guard !watches.isEmpty else { return false }
            return wholes.contains { watches[$0]?.source === source }
        }
    }

    /// Takes that resource out where it is watched at that source; whether it was.
    func lose(_ uri: String, at source: any ResourceSource) -> Bool {
        // It may end with this, which takes other locks.
        let lost = watches.withLock { watches in watches[uri]?.source === source ? watches.removeValue(forKey: uri) : nil }
        return withExtendedLifetime(lost) { lost != nil }
    }
}
