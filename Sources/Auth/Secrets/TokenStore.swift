import Dispatch
import JSON

/// Users' tokens, kept where they outlive the gateway: a SQLite file whose rows are sealed with AES-256-GCM.
///
/// A row opens only for the caller and the upstream that it was saved for. Other processes may use the same file.
package final class TokenStore: Sendable {
    package static let valueBytesMax = 128 * 1024
    private static let rowsMax = 100_000

    private let ring: KeyRing
    private let database: TokenDatabase
    private let queue = DispatchQueue(label: "tokens")

    /// Nothing is opened or made before the first use.
    package init(path: String, keys ring: KeyRing) {
        self.ring = ring
        database = TokenDatabase(path: path)
    }

    /// What was saved last; nil where there is nothing.
    ///
    /// Throws where there is something that no key of the ring opens, or that was not saved for this caller.
    package func load(for caller: CallerIdentity, upstream: String) async throws(TokenStoreFailure) -> [UInt8]? {
        try await run { [self] () throws(TokenStoreFailure) in
            guard let row = try database.row(owner: caller.digest, upstream: upstream) else { return nil }
            let keys = try ring.keys()
            guard let key = keys.first(where: { $0.id == row.key }) else {
                throw TokenStoreFailure("a token for \(upstream) is sealed with a key that is no longer in the ring")
            }
            let binding = caller.binding(to: upstream)
            guard let value = key.seal.open(row.sealed, binding: binding) else {
                throw TokenStoreFailure("a token for \(upstream) was changed, or was not this caller's")
            }
            // The old key is on its way out.
            if key.id != keys[0].id { try? put(value, for: caller, upstream, keys[0]) }
            return value
        }
    }

    /// Keeps the value; it is on the disk when this returns.
    package func save(_ value: [UInt8], for caller: CallerIdentity, upstream: String) async throws(TokenStoreFailure) {
        guard value.count <= Self.valueBytesMax else { throw TokenStoreFailure("a token for \(upstream) is too long to be kept") }
        try await run { [self] () throws(TokenStoreFailure) in
            try put(value, for: caller, upstream, try ring.keys()[0])
        }
    }

    /// Forgets it, if there is anything.
    package func delete(for caller: CallerIdentity, upstream: String) async throws(TokenStoreFailure) {
        try await run { [self] () throws(TokenStoreFailure) in try database.remove(owner: caller.digest, upstream: upstream) }
    }

    private func put(_ value: [UInt8], for caller: CallerIdentity, _ upstream: String, _ key: KeyRing.Key) throws(TokenStoreFailure) {
        let sealed: [UInt8]
        do {
            sealed = try key.seal.seal(value, binding: caller.binding(to: upstream))
        } catch {
            throw TokenStoreFailure("OpenSSL can't seal a token")
        }
        try database.put(.init(key: key.id, sealed: sealed), owner: caller.digest, upstream: upstream, rowsMax: Self.rowsMax)
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(TokenStoreFailure) -> Value
    ) async throws(TokenStoreFailure) -> Value {
        let outcome: Result<Value, TokenStoreFailure> = await withUnsafeContinuation { continuation in
            queue.async {
                do throws(TokenStoreFailure) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }
}

/// Why a token can't be kept or found; fit for the log.
package struct TokenStoreFailure: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension CallerIdentity {
    /// As JSON, so that no two callers are spelt alike.
    private var parts: JSONValue {
        [.string(realm), user.map { .string($0) } ?? .null, client.map { .string($0) } ?? .null]
    }

    /// Where the caller's rows stand; the table shows no names.
    fileprivate var digest: [UInt8] { SHA256Digest(of: String(decoding: parts.bytes, as: UTF8.self)).bytes }

    /// What a row of this caller is sealed together with.
    fileprivate func binding(to upstream: String) -> [UInt8] { JSONValue.array(["switchboard token", parts, .string(upstream)]).bytes }
}
