import MCPProtocol
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The keys that tokens at rest are sealed with: 32 bytes as base64 each, one a line, the newest first.
///
/// The first seals, all of them open. A key that is put before the others is in use with the next token that is written.
package final class KeyRing: Sendable {
    package enum Source: Sendable {
        /// A file of the gateway's own, made when there is none; only its owner may read it.
        case file(String)
        /// What the configuration names.
        case reference(SecretReference, environment: [String: String])
    }

    /// A key and what tells it from others.
    struct Key: Sendable {
        static let idLength = 8
        let id: [UInt8]
        let seal: Seal
    }

    private struct State {
        var keys: [Key] = []
        var stamps: [FileStamp?] = []
    }

    private static let keysMax = 16
    private let source: Source
    private let state = Mutex(State())

    package init(_ source: Source) { self.source = source }

    /// The keys as of now, blocking. While a ring that changed can't be read, the one before stays in use.
    func keys() throws(TokenStoreFailure) -> [Key] {
        let stamps = files.map(FileStamp.init)
        let known = state.withLock { $0 }
        if !known.keys.isEmpty, known.stamps == stamps { return known.keys }
        do throws(TokenStoreFailure) {
            let keys = try Self.parse(try text())
            state.withLock { $0 = State(keys: keys, stamps: files.map(FileStamp.init)) }
            return keys
        } catch {
            guard known.keys.isEmpty else { return known.keys }
            throw error
        }
    }

    /// Why a ring that the configuration names can't be used now, blocking; nil where it can.
    package static func obstacle(to reference: SecretReference, environment: [String: String]) -> String? {
        do throws(TokenStoreFailure) {
            _ = try KeyRing(.reference(reference, environment: environment)).keys()
            return nil
        } catch {
            return error.description
        }
    }

    private var files: [String] {
        switch source {
        case .file(let path): [path]
        case .reference(let reference, _): reference.files
        }
    }

    private func text() throws(TokenStoreFailure) -> String {
        switch source {
        case .file(let path): return try Self.read(path)
        case .reference(let reference, let environment):
            do throws(UnresolvedSecret) {
                return try reference.resolveText(environment: environment).reveal()
            } catch {
                throw TokenStoreFailure("the key for tokens can't be had: \(error)")
            }
        }
    }

    private static func parse(_ text: String) throws(TokenStoreFailure) -> [Key] {
        let words = text.split { $0.isWhitespace }
        guard (1...keysMax).contains(words.count) else { throw TokenStoreFailure("the key ring must hold 1 to \(keysMax) keys, one a line") }
        var keys: [Key] = []
        for word in words {
            guard let bytes = Base64.decode(word.utf8), let seal = try? Seal(key: bytes) else {
                throw TokenStoreFailure("the key ring holds something else than 32 bytes in base64, as `openssl rand -base64 32` prints them")
            }
            let id = bytes.withUnsafeBytes { SHA256Digest(of: $0) }.bytes.prefix(Key.idLength)
            keys.append(Key(id: Array(id), seal: seal))
        }
        return keys
    }

    private static func read(_ path: String) throws(TokenStoreFailure) -> String {
        if let text = try existing(path) { return text }
        guard let fresh = try? Seal.random(Seal.keyLength) else { throw TokenStoreFailure("OpenSSL gives no random bytes") }
        try create(path, holding: Base64.encode(fresh) + "\n")
        guard let text = try existing(path) else { throw TokenStoreFailure("the key ring \(path) has gone") }
        return text
    }

    /// Nil where there is no such file.
    private static func existing(_ path: String) throws(TokenStoreFailure) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & 0o077 == 0 else { throw TokenStoreFailure("the key ring \(path) can be read by others; make it 0600") }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), let text = String(validating: data, as: UTF8.self) else {
            throw TokenStoreFailure("the key ring \(path) can't be read")
        }
        return text
    }

    /// Whole or not at all, and never over another's: two processes may start at once.
    private static func create(_ path: String, holding text: String) throws(TokenStoreFailure) {
        makePrivateFolder(of: path)
        let draft = "\(path).\(getpid())-\(UInt64.random(in: 0 ... .max)).tmp"
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw TokenStoreFailure("the key ring \(path) can't be written") }
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        close(file)
        guard isWritten, link(draft, path) == 0 || errno == EEXIST else { throw TokenStoreFailure("the key ring \(path) can't be written") }
    }
}

/// Makes the folder of a file where there is none, for its owner only; whether that worked is seen when the file is opened.
func makePrivateFolder(of path: String) {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
}
