import COpenSSL

/// An API key as its owner holds it: `sb_`, an id of 10 characters, `_`, and 49 characters of which 43 are the secret and 6 a checksum.
///
/// All are letters and digits, so that a double click selects it and scanners for leaked secrets can be told its form.
package struct APIKeyText: Sendable {
    /// `sb_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}`.
    package static let prefix = "sb_"
    package static let idLength = 10
    /// 43 of 62 characters are 256 bits.
    private static let secretLength = 43
    private static let checksumLength = 6
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    package let id: String
    /// The whole of it.
    package let text: Secret

    /// A new one; throws when OpenSSL has no randomness.
    package init() throws(Seal.Failure) {
        id = String(decoding: try Self.random(Self.idLength), as: UTF8.self)
        let start = "\(Self.prefix)\(id)_\(String(decoding: try Self.random(Self.secretLength), as: UTF8.self))"
        text = Secret(start + Self.checksum(of: start))
    }

    /// Nil for a text that was never a key, such as one with a character mistyped.
    package init?(_ text: String) {
        let length = Self.prefix.utf8.count + Self.idLength + 1 + Self.secretLength + Self.checksumLength
        let bytes = Array(text.utf8)
        guard bytes.count == length, text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = bytes[Self.prefix.utf8.count...]
        let mark = rest.startIndex + Self.idLength
        let isPlain = rest.indices.allSatisfy { $0 == mark ? rest[$0] == UInt8(ascii: "_") : Self.alphabet.contains(rest[$0]) }
        guard isPlain else { return nil }
        let start = String(decoding: bytes.dropLast(Self.checksumLength), as: UTF8.self)
        guard text.utf8.elementsEqual((start + Self.checksum(of: start)).utf8) else { return nil }
        id = String(decoding: rest[..<mark], as: UTF8.self)
        self.text = Secret(text)
    }

    /// Whether a text has something of this form in it.
    package static func stands(in text: String) -> Bool {
        let bytes = Array(text.utf8)
        let length = prefix.utf8.count + idLength + 1 + secretLength + checksumLength
        var at = 0
        while at + length <= bytes.count {
            if bytes[at...].starts(with: prefix.utf8), APIKeyText(String(decoding: bytes[at..<at + length], as: UTF8.self)) != nil { return true }
            at += 1
        }
        return false
    }

    /// Tells a mistyped key from a wrong one without looking it up; it proves nothing.
    private static func checksum(of text: String) -> String {
        String(decoding: SHA256Digest(of: text).bytes.prefix(checksumLength).map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
    }

    /// Each character equally likely: bytes that would make some more likely are thrown away.
    private static func random(_ count: Int) throws(Seal.Failure) -> [UInt8] {
        var characters: [UInt8] = []
        while characters.count < count {
            for byte in try Seal.random(64) where Int(byte) < alphabet.count * 4 && characters.count < count {
                characters.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return characters
    }
}
