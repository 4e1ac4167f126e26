import COpenSSL
import MCPProtocol

/// Seals small values that travel through a client's hands: AES-256-GCM with a key of this installation.
///
/// What was sealed for one purpose cannot be opened for another.
package struct Seal: Sendable {
    package enum Failure: Error, Sendable { case openSSL, badKey }

    package static let keyLength = 32
    private static let nonceLength = 12
    private static let tagLength = 16
    private let key: [UInt8]

    package init(key: [UInt8]) throws(Failure) {
        guard key.count == Self.keyLength else { throw .badKey }
        self.key = key
    }

    /// Random bytes from OpenSSL's generator.
    package static func random(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw .openSSL }
        return bytes
    }

    /// nonce ‖ ciphertext ‖ tag, as base64url.
    package func seal(_ plain: [UInt8], for purpose: StaticString) throws(Failure) -> String {
        Base64.encodeURL(try seal(plain, binding: purpose.bytes))
    }

    /// What was sealed; nil for anything that this key did not seal for this purpose.
    package func open(_ sealed: String, for purpose: StaticString) -> [UInt8]? {
        Base64.decodeURL(sealed).flatMap { open($0, binding: purpose.bytes) }
    }

    /// nonce ‖ ciphertext ‖ tag; it opens only together with the same associated data.
    func seal(_ plain: [UInt8], binding associated: [UInt8]) throws(Failure) -> [UInt8] {
        let nonce = try Self.random(Self.nonceLength)
        guard let context = EVP_CIPHER_CTX_new() else { throw .openSSL }
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: plain.count)
        var tag = [UInt8](repeating: 0, count: Self.tagLength)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &length, associated, Int32(associated.count)) == 1,
            EVP_EncryptUpdate(context, &out, &length, plain, Int32(plain.count)) == 1,
            EVP_EncryptFinal_ex(context, nil, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagLength), &tag) == 1
        else { throw .openSSL }
        return nonce + out + tag
    }

    /// What was sealed; nil for anything that this key did not seal with this associated data.
    func open(_ bytes: [UInt8], binding associated: [UInt8]) -> [UInt8]? {
        guard bytes.count >= Self.nonceLength + Self.tagLength else { return nil }
        let nonce = Array(bytes[..<Self.nonceLength])
        let cipher = Array(bytes[Self.nonceLength..<bytes.count - Self.tagLength])
        var tag = Array(bytes[(bytes.count - Self.tagLength)...])
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var out = [UInt8](repeating: 0, count: cipher.count)
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(context, nil, &length, associated, Int32(associated.count)) == 1,
            EVP_DecryptUpdate(context, &out, &length, cipher, Int32(cipher.count)) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagLength), &tag) == 1,
            EVP_DecryptFinal_ex(context, nil, &length) == 1
        else { return nil }
        return out
    }
}

extension StaticString {
    fileprivate var bytes: [UInt8] { Array(UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)) }
}
