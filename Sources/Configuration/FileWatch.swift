#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Notices that files or folders changed, by looking at them again: whoever holds it polls it once a second.
///
/// Take it on gateway.yaml before loading and let it `follow` the files of the outcome, so that a change in between is seen.
package struct FileWatch: Sendable {
    /// What a file or folder looks like from outside; a link counts as what it leads to.
    private struct Stamp: Hashable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
        /// A folder's names, sorted.
        var names: [String]
    }

    private var stamps: [String: Stamp?]

    /// Looks at `paths` now, blocking; a path may lead nowhere yet.
    package init(_ paths: [String]) {
        stamps = [:]
        follow(paths)
    }

    /// Watches `paths` from now on and no others; those already watched are not looked at anew, so that no change is lost.
    package mutating func follow(_ paths: [String]) {
        var next: [String: Stamp?] = [:]
        for path in paths { next.updateValue(stamps[path] ?? Self.stamp(path), forKey: path) }
        stamps = next
    }

    /// Looks again, blocking; true where anything differs from the last look.
    package mutating func hasChanged() -> Bool {
        var now = stamps
        for path in stamps.keys { now.updateValue(Self.stamp(path), forKey: path) }
        defer { stamps = now }
        return now != stamps
    }

    private static func stamp(_ path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
            let time = status.st_mtim
        #else
            let time = status.st_mtimespec
        #endif
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        return Stamp(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: time.tv_sec,
            nanoseconds: time.tv_nsec, names: isFolder ? folderListing(path) ?? [] : [])
    }
}
