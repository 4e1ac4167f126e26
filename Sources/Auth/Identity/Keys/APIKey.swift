import COpenSSL
import Diagnostics

/// An API key as the keys file holds it: whose it is and what proves it, but not the key.
package struct APIKey: Hashable, Sendable {
    package static let saltLength = 16

    package var id: String
    /// Its caller is `client:NAME`.
    package var name: String
    package var groups: [String]
    /// Seconds since 1970.
    package var created: Int
    /// Seconds since 1970; nil for never.
    package var expires: Int?
    /// 16 random bytes.
    package var salt: [UInt8]
    /// SHA-256 of the salt and the whole key. A slow hash is for what people think up: nobody can try 2²⁵⁶ keys.
    package var hash: [UInt8]

    package init(id: String, name: String, groups: [String], created: Int, expires: Int?, salt: [UInt8], hash: [UInt8]) {
        self.id = id
        self.name = name
        self.groups = groups
        self.created = created
        self.expires = expires
        self.salt = salt
        self.hash = hash
    }

    /// What to keep of a new key.
    package init(_ key: APIKeyText, name: String, groups: [String], created: Int, expires: Int?) throws(Seal.Failure) {
        let salt = try Seal.random(Self.saltLength)
        self.init(
            id: key.id, name: name, groups: groups, created: created, expires: expires, salt: salt, hash: Self.hash(key.text, salt: salt))
    }

    /// Whether `key` is this one; takes as long for a wrong one as for the right one.
    func matches(_ key: APIKeyText) -> Bool {
        let computed = Self.hash(key.text, salt: salt)
        return hash.count == computed.count && CRYPTO_memcmp(hash, computed, computed.count) == 0
    }

    /// Whether it is still good at `now`, in seconds since 1970.
    package func isValid(at now: Int) -> Bool { expires.map { now < $0 } ?? true }

    private static func hash(_ key: Secret, salt: [UInt8]) -> [UInt8] {
        (salt + key.reveal().utf8).withUnsafeBytes { SHA256Digest(of: $0) }.bytes
    }
}
