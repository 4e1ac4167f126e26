import COpenSSL

/// HMAC-SHA-256 of arguments under a key of this installation, so that short values can't be found by trying (RFC 2104).
package struct ArgumentDigest: Sendable {
    private let key: [UInt8]

    package init(key: [UInt8]) { self.key = key }

    /// `hmac-sha256:` and 64 hexadecimal digits.
    package func text(of bytes: ArraySlice<UInt8>) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length = 0
        let done = bytes.withUnsafeBufferPointer { data in
            EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, data.baseAddress, data.count, &digest, digest.count, &length)
        }
        guard done != nil else { return "unavailable" }
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("hmac-sha256:".utf8)
        for byte in digest[..<length] {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
