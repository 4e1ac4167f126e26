#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What was found where a file should be.
enum FileContent: Equatable {
    case bytes([UInt8])
    case missing
    /// It is a folder, a device or a pipe.
    case notAFile
    case tooLarge
    /// The system's words for why it cannot be read.
    case unreadable(String)

    /// Reads the file at `path`, blocking; at most `bytesMax` bytes.
    static func read(_ path: String, bytesMax: Int) -> FileContent {
        // Non-blocking, so that a pipe without a writer does not hang us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .notAFile }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= bytesMax {
            let count = unsafeRead(descriptor, &chunk)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return .unreadable(String(cString: strerror(errno))) }
            if count == 0 { return .bytes(bytes) }
            bytes += chunk.prefix(count)
        }
        return .tooLarge
    }

    /// Whether any user of this machine may write the file at `path`.
    static func isWritableByAll(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o002 != 0
    }

    private static func unsafeRead(_ descriptor: Int32, _ chunk: inout [UInt8]) -> Int {
        chunk.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }
}

/// The names in the folder at `path`, sorted, without `.` and `..`; nil where there is no such folder.
func folderListing(_ path: String) -> [String]? {
    guard let stream = opendir(path) else { return nil }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream), names.count < 10_000 {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Whether the path leads to a folder.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Why the folder at `path` can't be listed, in the system's words; nil where it can, or where there is none.
func folderObstacle(_ path: String) -> String? {
    guard let stream = opendir(path) else { return errno == ENOENT ? nil : String(cString: strerror(errno)) }
    closedir(stream)
    return nil
}

/// The folder that this program runs in.
func currentDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
}
