#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small file of the state folder, read whole and written whole or not at all; blocking.
struct StateFile {
    static let bytesMax = 64 << 20

    let path: String

    /// Whether users who are neither its owner nor in its group may read or write it.
    var isOpenToAll: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o007 != 0
    }

    /// Its bytes; nil where there is none.
    func read() throws(StateError) -> [UInt8]? {
        // Non-blocking, so that a pipe without a writer does not hang us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.bytesMax {
            let count = Self.read(descriptor, &chunk)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(path) }
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
        }
        throw StateError(path, "it is larger than 64 MiB")
    }

    /// Writes it, readable by its owner only, and makes the folders that lead to it.
    func write(_ bytes: [UInt8]) throws(StateError) {
        try Self.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        let draft = "\(path).\(getpid()).tmp"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(path) }
        var done = 0
        while done < bytes.count {
            let count = Self.write(descriptor, bytes[done...])
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            done += count
        }
        // Else a crash of the machine may leave the new name with nothing in it.
        let isWhole = done == bytes.count && fsync(descriptor) == 0
        let failure = StateError.system(path)
        close(descriptor)
        guard isWhole else {
            unlink(draft)
            throw failure
        }
        guard rename(draft, path) == 0 else {
            let failure = StateError.system(path)
            unlink(draft)
            throw failure
        }
    }

    /// Makes a folder and those above it that are missing, open to its owner only.
    static func makeFolder(_ path: String) throws(StateError) {
        var status = stat()
        guard !path.isEmpty, stat(path, &status) != 0 else { return }
        guard errno == ENOENT else { throw .system(path) }
        try makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system(path) }
    }

    private static func read(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }

    private static func write(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { buffer in
            #if canImport(Glibc)
                Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.write(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }
}

extension StateError {
    /// The system's words for the call that has just failed.
    static func system(_ path: String) -> StateError { StateError(path, String(cString: strerror(errno))) }
}
