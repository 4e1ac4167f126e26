import COpenSSL

/// A public key of an issuer, to verify signatures with.
final class VerificationKey: Sendable {
    enum Kind: Hashable, Sendable { case rsa, p256, p384, p521, ed25519 }

    /// `kid`.
    let id: String?
    /// `alg`, where the issuer says what the key is for.
    let algorithm: SignatureAlgorithm?
    let kind: Kind
    /// Of the key itself, whatever it is called.
    let thumbprint: SHA256Digest
    nonisolated(unsafe) private let key: OpaquePointer

    /// Takes over `key`, an `EVP_PKEY`.
    init(_ key: OpaquePointer, kind: Kind, id: String?, algorithm: SignatureAlgorithm?, thumbprint: SHA256Digest) {
        self.key = key
        self.kind = kind
        self.id = id
        self.algorithm = algorithm
        self.thumbprint = thumbprint
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether a signature by `wanted` could be this key's: a key is used in one way only (RFC 8725 §3.1).
    func fits(_ wanted: SignatureAlgorithm) -> Bool { wanted.kind == kind && (algorithm ?? wanted) == wanted }

    /// Whether `signature` over `signed` is this key's; false for anything that is not well-formed.
    func verifies(_ signature: [UInt8], over signed: [UInt8], by algorithm: SignatureAlgorithm) -> Bool {
        guard fits(algorithm), let signature = encoded(signature), let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            // What is left in this thread's queue would pass for an error of the next TLS record.
            ERR_clear_error()
        }
        var keyContext: OpaquePointer?
        guard EVP_DigestVerifyInit(context, &keyContext, algorithm.digest, nil, key) == 1 else { return false }
        if algorithm.isPSS {
            guard EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return EVP_DigestVerify(context, signature, signature.count, signed, signed.count) == 1
    }

    /// As OpenSSL wants it: r‖s of RFC 7518 §3.4 becomes DER, others stay as they are.
    private func encoded(_ signature: [UInt8]) -> [UInt8]? {
        guard let length = kind.coordinateLength else { return signature }
        guard signature.count == 2 * length, let pair = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(pair) }
        let r = BN_bin2bn(signature, Int32(length), nil)
        let s = BN_bin2bn(Array(signature[length...]), Int32(length), nil)
        guard let r, let s, ECDSA_SIG_set0(pair, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            return nil
        }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_ECDSA_SIG(pair, &bytes)
        guard count > 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, nil, 0) }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}

extension VerificationKey.Kind {
    /// Bytes of one coordinate on the curve; nil where signatures are not pairs of numbers.
    var coordinateLength: Int? {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        case .rsa, .ed25519: nil
        }
    }
}

extension SignatureAlgorithm {
    /// The only kind of key that it is for.
    var kind: VerificationKey.Kind {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .es512: .p521
        case .eddsa: .ed25519
        }
    }

    var isPSS: Bool { self == .ps256 || self == .ps384 || self == .ps512 }

    /// Nil for Ed25519, which has its own.
    var digest: OpaquePointer? {
        switch self {
        case .rs256, .ps256, .es256: EVP_sha256()
        case .rs384, .ps384, .es384: EVP_sha384()
        case .rs512, .ps512, .es512: EVP_sha512()
        case .eddsa: nil
        }
    }
}
