import Auth
import Synchronization
import Transport
import VirtualServers

/// Virtual servers as callers with credentials of their own see them, each rendered once for all who see the same lists.
final class PersonalExposures: Sendable {
    private static let countMax = 500

    /// Which lists an exposure was made from; nil for an upstream that is missing.
    private struct Key: Hashable {
        let server: String
        let lists: [ObjectIdentifier?]
    }

    private struct Entry {
        let exposure: Exposure
        let generation: Int
        /// Held, so that their identifiers stay theirs.
        let lists: [UpstreamList?]
    }

    private let known = Mutex<[Key: Entry]>([:])

    /// The exposure for those lists, which are in the order of `snapshot.personal`; rendered where it is not known.
    func exposure(of server: String, in snapshot: Snapshot, lists: [UpstreamList?], baselines: Baselines) -> Exposure? {
        let key = Key(server: server, lists: lists.map { $0.map { ObjectIdentifier($0) } })
        if let entry = known.withLock({ $0[key] }), entry.generation == snapshot.generation { return entry.exposure }
        guard let definition = snapshot.exposures[server]?.definition, let personal = snapshot.personal[server] else { return nil }
        let byName = Dictionary(zip(personal.map(\.name), lists)) { first, _ in first }
        let exposure = snapshot.exposure(of: definition, baselines: baselines) { upstream in
            if let own = byName[upstream.name] { own } else { upstream.commonList }
        }
        known.withLock { known in
            if known.count >= Self.countMax {
                known = known.filter { $0.value.generation == snapshot.generation }
                if known.count >= Self.countMax { known = [:] }
            }
            known[key] = Entry(exposure: exposure, generation: snapshot.generation, lists: lists)
        }
        return exposure
    }
}
