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

    /// Whether a change of that URI, told by that source, concerns one of them.
    func covers(_ changed: String, from source: ObjectIdentifier) -> Bool {
        watches.withLock { watches in
            guard !watches.isEmpty else { return false }
            if let watch = watches[changed] { return watch.source == source }
            return watches.values.contains { $0.source == source && $0.covers(changed) }
        }
    }
}
