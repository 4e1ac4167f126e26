import Auth
import Diagnostics
import JSON
import MCPProtocol
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The tools that each upstream had when it was first read completely, for `new_tools: hold`; kept in the state folder.
package final class Baselines: Sendable {
    /// Callers of one upstream whose first list is remembered; those beyond it see what others have.
    private static let readersMax = 20_000
    private let path: String
    private let known: Mutex<[String: Set<String>]>
    private let log = Log("baselines")

    package init(stateFolder: String) {
        path = stateFolder + "/baselines.json"
        known = Mutex(Self.read(path))
    }

    package var file: String { path }

    /// The upstream's baseline; on first sight its present tools become it.
    func baseline(of upstream: String, now tools: [ToolDefinition]) -> Set<String> {
        if let names = known.withLock({ $0[upstream] }) { return names }
        let names = Set(tools.map(\.name))
        accept(upstream, names)
        return names
    }

    /// Where callers have lists of their own, what is on the first list of each belongs to the baseline: it is not new, but theirs.
    /// True where the baseline has grown.
    func note(_ tools: [ToolDefinition], of upstream: String, seenBy key: CredentialKey) -> Bool {
        let seen = upstream + " seen by"
        let reader = key.digest
        return known.withLock { known in
            guard known[seen]?.contains(reader) != true, (known[seen]?.count ?? 0) < Self.readersMax else { return false }
            known.merge(Self.read(path)) { mine, stored in mine.union(stored) }
            let before = known[upstream]
            known[upstream, default: []].formUnion(tools.map(\.name))
            known[seen, default: []].insert(reader)
            write(known)
            return before != known[upstream]
        }
    }

    /// Takes these tools as the baseline from now on.
    package func accept(_ upstream: String, _ names: Set<String>) {
        known.withLock { known in
            known.merge(Self.read(path)) { _, stored in stored }
            known[upstream] = names
            write(known)
        }
    }

    /// Reads what another process may have accepted.
    func reload() { known.withLock { $0.merge(Self.read(path)) { _, stored in stored } } }

    private static func read(_ path: String) -> [String: Set<String>] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), let value = try? JSONValue(parsing: Array(data)) else { return [:] }
        return Dictionary((value.members ?? []).map { ($0.key, Set(($0.value.array ?? []).compactMap(\.string))) }) { first, _ in first }
    }

    private func write(_ known: [String: Set<String>]) {
        let value = JSONValue.object(known.sorted { $0.key < $1.key }.map { .init($0.key, .array($0.value.sorted().map { .string($0) })) })
        do {
            try StateFolder.write(Data((value.pretty() + "\n").utf8), to: path)
        } catch {
            log.warning("can't be kept in \(path): \(error); they hold until the gateway ends")
        }
    }
}
