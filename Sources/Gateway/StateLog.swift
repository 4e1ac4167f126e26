#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What one line of such a file says.
protocol StateLogLine {
    /// Without its end.
    var line: String { get }

    /// Nil for what is none: a line that was cut off tells nothing.
    init?(line: String)
}

/// A file of the state folder that all instances add lines to and follow; blocking.
struct StateLog<Entry: StateLogLine> {
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
    mutating func news() throws(StateError) -> [Entry] {
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
        return whole.split(separator: UInt8(ascii: "\n")).compactMap { Entry(line: String(decoding: $0, as: UTF8.self)) }
    }

    /// Adds entries; on the disk when it returns.
    func append(_ entries: [Entry]) throws(StateError) {
        let lock = try lock()
        defer { close(lock) }
        try write(entries)
    }

    /// Adds what `entries` makes of the news, to which nobody adds meanwhile; on the disk when it returns.
    mutating func append(after entries: ([Entry]) -> [Entry]) throws(StateError) {
        let lock = try lock()
        defer { close(lock) }
        let entries = entries(try news())
        if !entries.isEmpty { try write(entries) }
    }

    private func write(_ entries: [Entry]) throws(StateError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path) }
        defer { close(descriptor) }
        let bytes = Array(((Self.isCutOff(descriptor) ? "\n" : "") + Self.lines(of: entries)).utf8)
        guard Self.write(descriptor, bytes) == bytes.count, fsync(descriptor) == 0 else { throw .system(path) }
    }

    /// Whether the last line was not written to its end, as on a full disk: the next one must not become a part of it.
    private static func isCutOff(_ descriptor: Int32) -> Bool {
        let size = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        return size > 0 && pread(descriptor, &last, 1, size - 1) == 1 && last != UInt8(ascii: "\n")
    }

    /// Writes it anew where it has grown too large. `entries` is handed what others have added by then, and says what still counts.
    mutating func compact(to entries: ([Entry]) -> [Entry]) throws(StateError) {
        guard offset > bytesMax else { return }
        let lock = try lock()
        defer { close(lock) }
        let lines = Self.lines(of: entries(try news()))
        try StateFile(path: path).write(Array(lines.utf8))
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

    private static func lines(of entries: [Entry]) -> String { entries.map { $0.line + "\n" }.joined() }

    private static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, bytes.count)
        #else
            Darwin.write(descriptor, bytes, bytes.count)
        #endif
    }
}
