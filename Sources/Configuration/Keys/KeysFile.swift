import Auth
import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file with the API keys of one configuration: what `switchboard key` works on.
package struct KeysFile: Sendable {
    /// Where it lies, from the root, and as the person named the folder.
    package let path: String
    package let shown: String
    /// Whether gateway.yaml names it; where it does not, its keys let nobody in.
    package let isConfigured: Bool
    private let file: NamedPath

    /// The file that the gateway.yaml at `path` names, else keys.yaml beside it. Other mistakes in gateway.yaml do not matter here.
    ///
    /// Throws where gateway.yaml can't be read at all.
    package init(ofConfiguration path: String, workingDirectory: String? = nil) throws(KeysFileError) {
        let configuration = NamedPath(path, in: workingDirectory ?? currentDirectory())
        let start = SourcePosition(file: path, line: 1, column: 1)
        guard case .bytes(let bytes) = FileContent.read(configuration.absolute, bytesMax: YAMLDocument.Limits.bytesMax) else {
            throw KeysFileError([Problem("this cannot be read", at: start, fix: "name the configuration with `--config`")])
        }
        let document = YAMLDocument(parsing: bytes, file: configuration.shown)
        guard document.problems.isEmpty else { throw KeysFileError(document.problems) }
        let name = document.root?["identity"]?["keys_file"]?.scalar?.text
        file = configuration.folder.appending(name ?? "keys.yaml")
        self.path = file.absolute
        shown = file.shown
        isConfigured = name != nil
    }

    /// The keys; none where there is no file yet.
    package func read() throws(KeysFileError) -> [APIKey] {
        var findings = Findings()
        guard let keys = KeysReader.read(file, &findings) else { throw KeysFileError(findings.problems) }
        return keys
    }

    /// Changes the keys, one writer at a time, and returns what `body` does. What was there stays whole if anything fails.
    package func change<Result>(_ body: (inout [APIKey]) throws(KeysFileError) -> Result) throws(KeysFileError) -> Result {
        guard isFolder(file.folder.absolute) else {
            let place = SourcePosition(file: shown, line: 1, column: 1)
            throw KeysFileError([Problem("the folder of this file does not exist", at: place, fix: "create it, or name another `keys_file`")])
        }
        let lock = try lock()
        defer { close(lock) }
        var keys = try read()
        let result = try body(&keys)
        try write(keys)
        return result
    }

    /// The lock is a file of its own, since the keys file is replaced. It ends with the descriptor.
    private func lock() throws(KeysFileError) -> Int32 {
        let descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("the lock \(shown).lock cannot be made") }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                close(descriptor)
                throw failure("the lock \(shown).lock cannot be had")
            }
        }
        return descriptor
    }

    private func write(_ keys: [APIKey]) throws(KeysFileError) {
        let draft = path + ".\(getpid()).tmp"
        // What a process of the same number left when it was killed; the lock keeps others out.
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("\(shown) cannot be written") }
        let text = Array(Self.text(of: keys).utf8)
        let isWritten = Self.write(text, to: descriptor) && fsync(descriptor) == 0
        let isClosed = close(descriptor) == 0
        guard isWritten, isClosed, rename(draft, path) == 0 else {
            let error = failure("\(shown) cannot be written")
            unlink(draft)
            throw error
        }
        // The new name must outlive a power cut too: a revoked key would be good again.
        let folder = open(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/", O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count, let start = buffer.baseAddress {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, start + done, buffer.count - done)
                #else
                    let count = Darwin.write(descriptor, start + done, buffer.count - done)
                #endif
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    private func failure(_ what: String) -> KeysFileError {
        let reason = String(cString: strerror(errno))
        return KeysFileError([
            Problem("\(what): \(reason)", at: SourcePosition(file: shown, line: 1, column: 1), fix: "look at its folder's permissions")
        ])
    }

    private static func text(of keys: [APIKey]) -> String {
        var text = "# Written by `switchboard key`: hashes of keys, never keys. A running gateway follows within a second.\n"
        if keys.isEmpty { return text + "keys: []\n" }
        text += "keys:\n"
        for key in keys {
            text += "  - id: \(yamlQuoted(key.id))\n    name: \(yamlQuoted(key.name))\n"
            if !key.groups.isEmpty { text += "    groups: [\(key.groups.map(yamlQuoted).joined(separator: ", "))]\n" }
            text += "    created: \(Timestamp(seconds: key.created))\n"
            if let expires = key.expires { text += "    expires: \(Timestamp(seconds: expires))\n" }
            text += "    hash: \"sha256:\(hex(key.salt)):\(hex(key.hash))\"\n"
        }
        return text
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// The keys file, or the configuration that names it, can't be used.
package struct KeysFileError: Error, Sendable {
    package let problems: [Problem]

    package init(_ problems: [Problem]) { self.problems = problems }
}

extension YAMLNode {
    /// The value of a key; nil where there is none.
    fileprivate subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
