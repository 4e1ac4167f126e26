import Auth
import Diagnostics
import JSON
import MCPProtocol
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The tools that each upstream had when it was first read completely, for `new_tools: hold`; kept in the state folder.
///
/// A file that can't be read tells nothing of what was known: patterns then take no tool of an upstream until it is accepted.
/// The damaged file stays beside the new one until a person removes it, and so long no baseline is made by itself.
package final class Baselines: Sendable {
    /// Callers of one upstream whose first list is remembered; those beyond it see what others have.
    private static let readersMax = 20_000
    private let path: String
    private let state: Mutex<State>
    private let log = Log("baselines")

    private struct State {
        var known: [String: Set<String>] = [:]
        /// Why upstreams that are not known are held back; nil where they are new.
        var defect: String?
    }

    /// With `isQuiet` a file that can't be read is not logged.
    package init(stateFolder: String, isQuiet: Bool = false) {
        path = stateFolder + "/baselines.json"
        state = Mutex(State())
        state.withLock { load(&$0, isQuiet: isQuiet) }
    }

    /// What tells that another process has changed something.
    var files: [String] { [path, damaged] }

    private var damaged: String { path + ".damaged" }

    /// Why patterns show nothing of upstreams whose baseline is not known, and how to mend it; nil where all is well.
    package var defect: String? { state.withLock { $0.defect } }

    /// The upstream's baseline; on first sight its present tools become it.
    func baseline(of upstream: String, now tools: [ToolDefinition]) -> Set<String> {
        state.withLock { state in
            if let names = state.known[upstream] { return names }
            load(&state)
            if let names = state.known[upstream] { return names }
            guard state.defect == nil else { return [] }
            let names = Set(tools.map(\.name))
            state.known[upstream] = names
            do throws(StateError) {
                try write(state.known)
            } catch {
                log.error("that of \(upstream) can't be kept, \(error); it holds until the gateway ends")
            }
            return names
        }
    }

    /// The upstream's baseline, made by nobody's first sight; empty where the file that has it can't be read.
    func known(_ upstream: String) -> Set<String>? { state.withLock { $0.known[upstream] ?? ($0.defect == nil ? nil : []) } }

    /// Where callers have lists of their own, what is on the first list of each belongs to the baseline: it is not new, but theirs.
    /// True where the baseline has grown.
    func note(_ tools: [ToolDefinition], of upstream: String, seenBy key: CredentialKey) -> Bool {
        let seen = upstream + " seen by"
        let reader = key.digest
        return state.withLock { state in
            func isNoted() -> Bool { state.known[seen]?.contains(reader) == true || (state.known[seen]?.count ?? 0) >= Self.readersMax }
            guard !isNoted() else { return false }
            let mine = state.known
            load(&state)
            // Others of this process may have seen more than what was kept.
            state.known.merge(mine) { stored, mine in stored.union(mine) }
            guard state.defect == nil, !isNoted() else { return false }
            let before = state.known[upstream]
            state.known[upstream, default: []].formUnion(tools.map(\.name))
            state.known[seen, default: []].insert(reader)
            do throws(StateError) {
                try write(state.known)
            } catch {
                log.error("that of \(upstream) can't be kept, \(error); it holds until the gateway ends")
            }
            return before != state.known[upstream]
        }
    }

    /// Takes these tools as the baseline from now on. Throws, and changes nothing, where they can't be kept.
    package func accept(_ upstream: String, _ names: Set<String>) throws(StateError) {
        try state.withLock { (state) throws(StateError) in
            load(&state)
            var known = state.known
            known[upstream] = names
            try setDamagedAside()
            try write(known)
            state.known = known
            load(&state)
        }
    }

    /// Reads what another process may have accepted.
    func reload() { state.withLock { load(&$0) } }

    // MARK: - The file

    private func load(_ state: inout State, isQuiet: Bool = false) {
        var defect: String?
        let held = "patterns take no tool of an upstream whose baseline is not known"
        do throws(StateError) {
            state.known.merge(try read()) { _, stored in stored }
            if access(damaged, F_OK) == 0 {
                defect = "\(damaged) is still there: \(held); accept each with `switchboard accept UPSTREAM`, then remove the file"
            }
        } catch {
            defect = "\(error): \(held); restore the file, or take today's tools with `switchboard accept UPSTREAM`"
        }
        if let defect, defect != state.defect, !isQuiet { log.error(defect) }
        state.defect = defect
    }

    private func read() throws(StateError) -> [String: Set<String>] {
        guard let bytes = try StateFile(path: path).read() else { return [:] }
        guard let members = (try? JSONValue(parsing: bytes))?.members else { throw damage }
        var known: [String: Set<String>] = [:]
        for member in members {
            guard let elements = member.value.array else { throw damage }
            let names = elements.compactMap(\.string)
            guard names.count == elements.count else { throw damage }
            known[member.key] = Set(names)
        }
        return known
    }

    private var damage: StateError { StateError(path, "it is damaged", isOfContent: true) }

    /// What can't be made sense of is kept for a person to look at.
    private func setDamagedAside() throws(StateError) {
        do throws(StateError) {
            _ = try read()
        } catch {
            guard error.isOfContent else { throw error }
            guard rename(path, damaged) == 0 else { throw .system(path) }
            log.warning("the damaged file is \(damaged) now")
        }
    }

    private func write(_ known: [String: Set<String>]) throws(StateError) {
        let value = JSONValue.object(known.sorted { $0.key < $1.key }.map { .init($0.key, .array($0.value.sorted().map { .string($0) })) })
        try StateFile(path: path).write(Array((value.pretty() + "\n").utf8))
    }
}
