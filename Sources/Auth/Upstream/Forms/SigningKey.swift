import COpenSSL
import JSON
import MCPProtocol

/// A private key that signs the gateway's own tokens (RFC 7515).
final class SigningKey: Sendable {
    nonisolated(unsafe) private let key: OpaquePointer
    private let algorithm: SignatureAlgorithm
    private let keyID: String?

    /// Reads the key, blocking; throws where it is no PEM, or not of the algorithm's kind. The value is never shown.
    static func resolve(_ definition: SigningDefinition, environment: [String: String]) throws(UnresolvedSecret) -> SigningKey {
        // Variables often hold line breaks as `\n`.
        let pem = try definition.key.resolveText(environment: environment).reveal().replacing("\\n", with: "\n")
        guard let key = read(Array(pem.utf8)) else {
            throw UnresolvedSecret(description: "\(definition.key.names) is no private key in PEM without a passphrase")
        }
        guard fits(key, definition.algorithm) else {
            EVP_PKEY_free(key)
            throw UnresolvedSecret(description: "the key in \(definition.key.names) can't sign \(definition.algorithm.rawValue)")
        }
        return SigningKey(key, definition.algorithm, definition.keyID)
    }

    private init(_ key: OpaquePointer, _ algorithm: SignatureAlgorithm, _ keyID: String?) {
        self.key = key
        self.algorithm = algorithm
        self.keyID = keyID
    }

    deinit { EVP_PKEY_free(key) }

    /// A value for `jti` that nobody can guess.
    static func newID() -> String { Base64.encodeURL((try? Seal.random(18)) ?? []) }

    /// A signed token of those claims.
    func token(_ claims: [(String, JSONValue)]) throws(UnresolvedSecret) -> Secret {
        var header: JSONValue = ["alg": .string(algorithm.rawValue), "typ": "JWT"]
        if let keyID { header["kid"] = .string(keyID) }
        let payload = JSONValue.object(claims.map { JSONValue.Member($0.0, $0.1) })
        let signed = Base64.encodeURL(header.bytes) + "." + Base64.encodeURL(payload.bytes)
        guard let signature = sign(Array(signed.utf8)) else {
            throw UnresolvedSecret(description: "OpenSSL can't sign \(algorithm.rawValue) with the key that was read")
        }
        return Secret(signed + "." + Base64.encodeURL(signature))
    }

    private func sign(_ bytes: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var keyContext: OpaquePointer?
        guard EVP_DigestSignInit(context, &keyContext, algorithm.digest, nil, key) == 1 else { return nil }
        if algorithm.isPSS {
            guard EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return nil }
        }
        var length = 0
        guard EVP_DigestSign(context, nil, &length, bytes, bytes.count) == 1 else { return nil }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1 else { return nil }
        signature.removeLast(signature.count - length)
        return algorithm.kind.coordinateLength.map { Self.pair(signature, coordinateLength: $0) } ?? signature
    }

    /// DER becomes r‖s (RFC 7518 §3.4).
    private static func pair(_ der: [UInt8], coordinateLength length: Int) -> [UInt8]? {
        der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            guard let pair = d2i_ECDSA_SIG(nil, &start, bytes.count) else { return nil }
            defer { ECDSA_SIG_free(pair) }
            var result = [UInt8](repeating: 0, count: 2 * length)
            var second = [UInt8](repeating: 0, count: length)
            guard BN_bn2binpad(ECDSA_SIG_get0_r(pair), &result, Int32(length)) == Int32(length),
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), &second, Int32(length)) == Int32(length)
            else { return nil }
            result.replaceSubrange(length..., with: second)
            return result
        }
    }

    private static func read(_ pem: [UInt8]) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return pem.withUnsafeBytes { bytes in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            // Without this OpenSSL would ask for a passphrase at the terminal.
            return PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
    }

    private static func fits(_ key: OpaquePointer, _ algorithm: SignatureAlgorithm) -> Bool {
        switch algorithm.kind {
        case .rsa: EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= 2_048
        case .p256: EVP_PKEY_is_a(key, "EC") == 1 && group(of: key) == "prime256v1"
        case .p384: EVP_PKEY_is_a(key, "EC") == 1 && group(of: key) == "secp384r1"
        case .p521: EVP_PKEY_is_a(key, "EC") == 1 && group(of: key) == "secp521r1"
        case .ed25519: EVP_PKEY_is_a(key, "ED25519") == 1
        }
    }

    private static func group(of key: OpaquePointer) -> String? {
        var name = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
