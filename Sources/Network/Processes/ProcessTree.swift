import CShims
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process, told apart from a later one with the same number by when it started.
struct ProcessIdentity: Hashable, Sendable {
    let pid: Int32
    /// Clock ticks since boot; 0 where it isn't known.
    let start: UInt64
}

/// Finds the processes that a child has started, also those that left its group.
package enum ProcessTree {
    /// The children that `ChildProcess` reaps by itself.
    static let known = Mutex<Set<Int32>>([])
    private static let adopting = Atomic<Bool>(false)
    static var adopts: Bool { adopting.load(ordering: .relaxed) }

    private struct Entry {
        let identity: ProcessIdentity
        let parent: Int32
        let isZombie: Bool
    }

    /// Makes this process the parent of its descendants' orphans, so that they can be found and are reaped (Linux).
    ///
    /// For a program of ours, at start: any child that was not started by `ChildProcess` is then taken for an orphan.
    package static func adoptOrphans() {
        #if canImport(Glibc)
            if shim_become_subreaper() == 0 { adopting.store(true, ordering: .relaxed) }
        #endif
    }

    /// Kills every process that descends from this one, what children have left behind included; the last thing before the program ends.
    package static func killAll() {
        guard adopts else { return }
        let family = descendants(of: getpid(), among: all())
        signal(family, SIGKILL)
        reapOrphans()
    }

    /// Reaps dead orphans; blocks while it reads `/proc`.
    static func reapOrphans() {
        for entry in all() where entry.parent == getpid() && entry.isZombie && !isKnown(entry.identity.pid) {
            var status: Int32 = 0
            _ = waitpid(entry.identity.pid, &status, WNOHANG)
        }
    }

    static func descendants(of pid: Int32) async -> Set<ProcessIdentity> {
        await withUnsafeContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: descendants(of: pid, among: all())) }
        }
    }

    /// Signals those of the processes that are still the same.
    static func signal(_ family: Set<ProcessIdentity>, _ number: Int32) {
        for process in family where entry(of: process.pid)?.identity == process { _ = kill(process.pid, number) }
    }

    private static func isKnown(_ pid: Int32) -> Bool { known.withLock { $0.contains(pid) } }

    private static func descendants(of root: Int32, among entries: [Entry]) -> Set<ProcessIdentity> {
        let children = Dictionary(grouping: entries, by: \.parent)
        var found: Set<ProcessIdentity> = []
        var next = [root]
        while let parent = next.popLast() {
            for child in children[parent] ?? [] where found.insert(child.identity).inserted { next.append(child.identity.pid) }
        }
        return found
    }

    #if canImport(Glibc)
        private static func all() -> [Entry] {
            guard let folder = opendir("/proc") else { return [] }
            defer { closedir(folder) }
            var entries: [Entry] = []
            while let item = readdir(folder) {
                let name = withUnsafeBytes(of: item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                if let pid = Int32(name), let entry = entry(of: pid) { entries.append(entry) }
            }
            return entries
        }

        /// From `/proc/PID/stat`: `PID (name) state parent … start`, where the name may hold anything; proc(5).
        private static func entry(of pid: Int32) -> Entry? {
            let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return nil }
            defer { System.close(file) }
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = bytes.withUnsafeMutableBytes { System.read(file, $0) }
            guard count > 0, let nameEnd = bytes[0..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = bytes[(nameEnd + 1)..<count].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count > 19, let parent = Int32(fields[1]), let start = UInt64(fields[19]) else { return nil }
            return Entry(identity: ProcessIdentity(pid: pid, start: start), parent: parent, isZombie: fields[0] == "Z")
        }
    #else
        private static func all() -> [Entry] {
            let room = Int(proc_listallpids(nil, 0)) + 64
            var pids = [Int32](repeating: 0, count: room)
            let count = proc_listallpids(&pids, Int32(room * MemoryLayout<Int32>.size))
            return pids.prefix(max(0, Int(count))).compactMap { entry(of: $0) }
        }

        private static func entry(of pid: Int32) -> Entry? {
            var info = proc_bsdinfo()
            let size = Int32(MemoryLayout<proc_bsdinfo>.size)
            guard proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, size) == size else { return nil }
            let start = info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec
            return Entry(
                identity: ProcessIdentity(pid: pid, start: start), parent: Int32(info.pbi_ppid), isZombie: info.pbi_status == UInt32(SZOMB))
        }
    #endif
}
