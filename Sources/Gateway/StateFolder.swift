import Auth
import Configuration

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder where the gateway keeps what must outlive it; only its owner may look inside.
package enum StateFolder {
    /// Writes a file whole or not at all, readable by its owner only.
    static func write(_ data: Data, to path: String) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = path + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
        guard FileManager.default.createFile(atPath: draft, contents: data, attributes: [.posixPermissions: 0o600]) else {
            throw CocoaError(.fileWriteUnknown)
        }
        guard rename(draft, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Where users' tokens are kept: `tokens.db`, sealed with `state_key` or with the ring in `tokens.keys`, which is made when there is none.
    static func tokenStore(_ settings: Settings, environment: [String: String]) -> TokenStore {
        let ring =
            if let reference = settings.stateKey {
                KeyRing(.reference(reference, environment: environment))
            } else {
                KeyRing(.file(settings.stateFolder + "/tokens.keys"))
            }
        return TokenStore(path: settings.stateFolder + "/tokens.db", keys: ring)
    }

    /// The key that seals session ids.
    package static func seal(in folder: String) throws(Seal.Failure) -> Seal { try Seal(key: key("seal.key", in: folder)) }

    /// A key of this installation; made when there is none. Where the folder can't be written, one that lasts as long as the process.
    static func key(_ name: String, in folder: String) throws(Seal.Failure) -> [UInt8] {
        let path = folder + "/" + name
        if let known = read(path) { return known }
        let key = try Seal.random(Seal.keyLength)
        try? write(Data(key), to: path)
        // Another process may have been first.
        return read(path) ?? key
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)), data.count == Seal.keyLength else { return nil }
        return Array(data)
    }
}
