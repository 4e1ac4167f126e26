import COpenSSL
import Synchronization

/// HMAC-SHA-256 of arguments under a key of this installation, so that short values can't be found by trying (RFC 2104).
package final class ArgumentDigest: Sendable {
    /// Looked up and keyed once: doing so costs more than the digest of usual arguments.
    private let context: Mutex<Context>

    package init(key: [UInt8]) { context = Mutex(Context(key: key)) }

    /// `hmac-sha256:` and 64 hexadecimal digits.
    package func text(of bytes: ArraySlice<UInt8>) -> String {
        guard let digest = context.withLock({ $0.digest(of: bytes) }) else { return "unavailable" }
        let digits: StaticString = "0123456789abcdef"
        var text = Array("hmac-sha256:".utf8)
        for byte in digest {
            text.append(digits.utf8Start[Int(byte >> 4)])
            text.append(digits.utf8Start[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private struct Context: ~Copyable {
        private let pointer: OpaquePointer?

        init(key: [UInt8]) {
            let mac = EVP_MAC_fetch(nil, "HMAC", nil)
            defer { EVP_MAC_free(mac) }
            let context = EVP_MAC_CTX_new(mac)
            var name = Array("SHA256".utf8CString)
            let isReady = name.withUnsafeMutableBufferPointer { name in
                let parameters = [OSSL_PARAM_construct_utf8_string("digest", name.baseAddress, 0), OSSL_PARAM_construct_end()]
                return EVP_MAC_init(context, key, key.count, parameters) == 1
            }
            if !isReady { EVP_MAC_CTX_free(context) }
            pointer = isReady ? context : nil
        }

        deinit { EVP_MAC_CTX_free(pointer) }

        /// nil when OpenSSL has failed.
        func digest(of bytes: ArraySlice<UInt8>) -> [UInt8]? {
            guard let pointer, EVP_MAC_init(pointer, nil, 0, nil) == 1 else { return nil }
            var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var length = 0
            let isDone = bytes.withUnsafeBufferPointer { EVP_MAC_update(pointer, $0.baseAddress, $0.count) == 1 }
            guard isDone, EVP_MAC_final(pointer, &digest, &length, digest.count) == 1 else { return nil }
            return Array(digest[..<length])
        }
    }
}
