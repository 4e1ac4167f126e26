import Transport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The sessions that have ended, in a file of the state folder that all instances add to: a line for each, `EXPIRES KEY CALLER`; blocking.
struct EndedSessionFile {
    /// Beyond this it is written anew, with what still counts.
    let bytesMax: Int
    let path: String
    /// Which file has been read, and how far.
    private var inode: UInt64 = 0
    private var offset = 0

    init(path: String, bytesMax: Int = 8 << 20) {
        self.path = path
        self.bytesMax = bytesMax
    }

    /// What was added since the last look, by anybody.
    mutating func news() throws(StateError) -> [EndedSessions.Entry] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw .system(path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(path) }
        if UInt64(status.st_ino) != inode || Int(status.st_size) < offset { offset = 0 }
        inode = UInt64(status.st_ino)
        var bytes: [UInt8] = []
        while bytes.count < StateFile.bytesMax {
            var chunk = [UInt8](repeating: 0, count: 256 << 10)
            let count = pread(descriptor, &chunk, chunk.count, off_t(offset + bytes.count))
            guard count >= 0 else { throw .system(path) }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        // A line that is still being written is read the next time.
        let whole = bytes.prefix((bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
        offset += whole.count
        return whole.split(separator: UInt8(ascii: "\n")).compactMap { EndedSessions.Entry(line: String(decoding: $0, as: UTF8.self)) }
    }

    /// Adds entries; on the disk when it returns.
    func append(_ entries: [EndedSessions.Entry]) throws(StateError) {
        let lock = try lock()
        defer { close(lock) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path) }
        defer { close(descriptor) }
        let bytes = Array(((Self.isCutOff(descriptor) ? "\n" : "") + entries.map(\.line).joined()).utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw .system(path) }
    }

    /// Whether the last line was not written to its end, as on a full disk: the next one must not become a part of it.
    private static func isCutOff(_ descriptor: Int32) -> Bool {
        let size = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        return size > 0 && pread(descriptor, &last, 1, size - 1) == 1 && last != UInt8(ascii: "\n")
    }

    /// Writes it anew where it has grown too large. `entries` is handed what others have added by then, and says what still counts.
    mutating func compact(to entries: ([EndedSessions.Entry]) -> [EndedSessions.Entry]) throws(StateError) {
        guard offset > bytesMax else { return }
        let lock = try lock()
        defer { close(lock) }
        let lines = entries(try news()).map(\.line)
        try StateFile(path: path).write(Array(lines.joined().utf8))
    }

    /// Keeps other processes from writing until the descriptor is closed.
    private func lock() throws(StateError) -> Int32 {
        try StateFile.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        let descriptor = open(path + ".lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let failure = StateError.system(path)
                close(descriptor)
                throw failure
            }
        }
        return descriptor
    }
}

extension EndedSessions.Entry {
    fileprivate var line: String { "\(expires) \(key ?? "*") \(caller)\n" }

    /// Nil for what is none: a line that was cut off tells nothing.
    fileprivate init?(line: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let expires = Int(parts[0]), parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.count <= 64 }) else { return nil }
        self.init(key: parts[1] == "*" ? nil : String(parts[1]), of: String(parts[2]), expires: expires)
    }
}
