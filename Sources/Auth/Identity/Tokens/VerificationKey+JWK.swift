import COpenSSL
import JSON
import MCPProtocol

extension VerificationKey {
    private static let bitsMin = 2_048
    private static let bitsMax = 16_384

    /// Nil for a key that is not to verify signatures with, or that is too weak for it (RFC 7517 §4, RFC 7518 §3.3, §6, RFC 8037 §2).
    convenience init?(jwk: JSONValue) {
        if let use = jwk["use"], use != "sig" { return nil }
        if let operations = jwk["key_ops"], operations.array?.contains("verify") != true { return nil }
        var algorithm: SignatureAlgorithm?
        if let name = jwk["alg"] {
            guard let known = name.string.flatMap(SignatureAlgorithm.init) else { return nil }
            algorithm = known
        }
        var id: String?
        if let name = jwk["kid"] {
            guard let text = name.string, text.utf8.count <= 256 else { return nil }
            id = text
        }
        guard let (key, kind) = Self.key(jwk) else {
            ERR_clear_error()
            return nil
        }
        let members = ["kty", "crv", "n", "e", "x", "y"].map { jwk[$0]?.string ?? "" }
        self.init(key, kind: kind, id: id, algorithm: algorithm, thumbprint: SHA256Digest(of: members.joined(separator: " ")))
    }

    private static func key(_ jwk: JSONValue) -> (OpaquePointer, Kind)? {
        switch (jwk["kty"]?.string, jwk["crv"]?.string) {
        case ("RSA", _): rsa(jwk).map { ($0, .rsa) }
        case ("EC", "P-256"): point(jwk, .p256, "P-256").map { ($0, .p256) }
        case ("EC", "P-384"): point(jwk, .p384, "P-384").map { ($0, .p384) }
        case ("EC", "P-521"): point(jwk, .p521, "P-521").map { ($0, .p521) }
        case ("OKP", "Ed25519"): ed25519(jwk).map { ($0, .ed25519) }
        default: nil
        }
    }

    private static func rsa(_ jwk: JSONValue) -> OpaquePointer? {
        // A long exponent makes each verification slow.
        guard let modulus = bytes("n", of: jwk), let exponent = bytes("e", of: jwk), modulus.count <= bitsMax / 8, (1...8).contains(exponent.count),
            exponent.last.map({ $0 & 1 == 1 }) == true, let n = BN_bin2bn(modulus, Int32(modulus.count), nil)
        else { return nil }
        defer { BN_free(n) }
        guard let e = BN_bin2bn(exponent, Int32(exponent.count), nil) else { return nil }
        defer { BN_free(e) }
        guard (bitsMin...bitsMax).contains(Int(BN_num_bits(n))), BN_num_bits(e) > 1, let builder = OSSL_PARAM_BLD_new() else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        guard OSSL_PARAM_BLD_push_BN(builder, name("n"), n) == 1, OSSL_PARAM_BLD_push_BN(builder, name("e"), e) == 1 else {
            return nil
        }
        return made("RSA", builder)
    }

    private static func point(_ jwk: JSONValue, _ kind: Kind, _ curve: String) -> OpaquePointer? {
        guard let length = kind.coordinateLength, let x = bytes("x", of: jwk), let y = bytes("y", of: jwk), x.count == length, y.count == length,
            let builder = OSSL_PARAM_BLD_new()
        else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        // SEC 1 §2.3.3: uncompressed. The builder keeps only where these bytes are until the key is made.
        let point = [4] + x + y
        return point.withUnsafeBytes { point in
            curve.withCString { curve in
                guard OSSL_PARAM_BLD_push_utf8_string(builder, name("group"), curve, 0) == 1,
                    OSSL_PARAM_BLD_push_octet_string(builder, name("pub"), point.baseAddress, point.count) == 1,
                    let key = made("EC", builder)
                else { return nil }
                return isOnCurve(key) ? key : nil
            }
        }
    }

    /// Frees a key that is not on its curve.
    private static func isOnCurve(_ key: OpaquePointer) -> Bool {
        let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer { EVP_PKEY_CTX_free(context) }
        if let context, EVP_PKEY_public_check(context) == 1 { return true }
        EVP_PKEY_free(key)
        return false
    }

    private static func ed25519(_ jwk: JSONValue) -> OpaquePointer? {
        guard let x = bytes("x", of: jwk), x.count == 32 else { return nil }
        return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, x.count)
    }

    /// The name of a parameter, which the builder doesn't copy: it must be there for good.
    private static func name(_ name: StaticString) -> UnsafePointer<CChar> { UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self) }

    private static func made(_ type: String, _ builder: OpaquePointer) -> OpaquePointer? {
        guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { return nil }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1, EVP_PKEY_fromdata(context, &key, shim_evp_pkey_public_key, parameters) == 1 else { return nil }
        return key
    }

    private static func bytes(_ name: String, of jwk: JSONValue) -> [UInt8]? { jwk[name]?.string.flatMap { Base64.decodeURL($0) } }
}
