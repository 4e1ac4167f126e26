import COpenSSL

/// A SHA-256 digest, without an allocation of its own.
package struct SHA256Digest: Hashable, Sendable {
    package static let length = 32
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Fetched once: looking it up by name costs more than the digest of a token.
    nonisolated(unsafe) private static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    /// The digest of `text`, in UTF-8.
    package init(of text: String) {
        var text = text
        self = text.withUTF8 { Self(of: UnsafeRawBufferPointer($0)) }
    }

    /// The digest of `bytes`.
    package init(of bytes: UnsafeRawBufferPointer) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isDone = withUnsafeMutableBytes(of: &words) { out in
            EVP_Digest(bytes.baseAddress, bytes.count, out.baseAddress?.assumingMemoryBound(to: UInt8.self), nil, Self.algorithm, nil) == 1
        }
        // Only out of memory, or with an OpenSSL that has no SHA-256; going on would make all digests one.
        precondition(isDone, "OpenSSL has no SHA-256")
        self.words = words
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// 64 hexadecimal digits.
    var hexadecimal: String { bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }

    package static func == (a: SHA256Digest, b: SHA256Digest) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
