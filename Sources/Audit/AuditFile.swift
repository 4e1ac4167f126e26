#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why the audit can't be written, in the system's words and without a path.
package struct AuditFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// Of the last system call.
    static var system: AuditFailure { AuditFailure(String(cString: strerror(errno))) }
}

/// The open file, or standard output. Closed when it goes.
struct AuditFile: ~Copyable {
    /// How long a full pipe may keep us waiting, in milliseconds.
    private static let patience: Int32 = 1_000

    private let descriptor: Int32
    private let path: String?
    private let device: UInt64
    private let inode: UInt64
    private let isRegular: Bool

    /// Opens it for appending, readable by its owner only where it is new.
    init(_ destination: AuditSettings.Destination) throws(AuditFailure) {
        let (descriptor, path) = try Self.open(destination)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let failure = AuditFailure.system
            if path != nil { close(descriptor) }
            throw failure
        }
        self.descriptor = descriptor
        self.path = path
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    deinit { if path != nil { close(descriptor) } }

    /// Whether the path still leads to this file; not so once it was renamed or removed.
    var isCurrent: Bool {
        guard let path else { return true }
        var status = stat()
        return stat(path, &status) == 0 && UInt64(truncatingIfNeeded: status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// Writes what comes after `start`; returns how many bytes the system took, at least one.
    func write(_ bytes: [UInt8], from start: Int) throws(AuditFailure) -> Int {
        while true {
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
                #else
                    Darwin.write(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
                #endif
            }
            if count > 0 { return count }
            if count < 0 && errno == EINTR { continue }
            guard count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) else { throw .system }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&wanted, 1, Self.patience) != 0 else { throw AuditFailure("nobody reads it") }
        }
    }

    /// Waits until what was written has reached the disk.
    func synchronize() throws(AuditFailure) {
        guard isRegular else { return }
        #if canImport(Glibc)
            guard fdatasync(descriptor) == 0 else { throw .system }
        #else
            guard fsync(descriptor) == 0 else { throw .system }
        #endif
    }

    /// Ends a line that an earlier process left unfinished.
    func endLastLine() throws(AuditFailure) {
        guard isRegular, let path, !Self.endsInLine(path) else { return }
        _ = try write([0x0A], from: 0)
    }

    /// Why it could not be opened now; makes no file.
    static func obstacle(to destination: AuditSettings.Destination) -> AuditFailure? {
        guard case .file(let path) = destination else { return nil }
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK)
        #else
            let descriptor = Darwin.open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK)
        #endif
        if descriptor >= 0 {
            close(descriptor)
            return nil
        }
        guard errno == ENOENT else { return .system }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        return access(folder, W_OK | X_OK) == 0 ? nil : .system
    }

    private static func open(_ destination: AuditSettings.Destination) throws(AuditFailure) -> (descriptor: Int32, path: String?) {
        guard case .file(let path) = destination else { return (1, nil) }
        // Non-blocking, so that a pipe that nobody reads is a failure and not a halt.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, flags, 0o600)
        #else
            let descriptor = Darwin.open(path, flags, 0o600)
        #endif
        guard descriptor >= 0 else { throw .system }
        return (descriptor, path)
    }

    /// Also where it can't be known.
    private static func endsInLine(_ path: String) -> Bool {
        guard let file = fopen(path, "r") else { return true }
        defer { fclose(file) }
        return fseek(file, -1, SEEK_END) != 0 || fgetc(file) == 0x0A
    }
}
