import COpenSSL
import JSON
import MCPProtocol

@testable import Auth

/// An issuer's private key, for tests.
final class SigningKey: Sendable {
    enum Kind: Sendable, Hashable { case rsa(Int), ec(String), ed25519 }

    static let rsa = SigningKey(.rsa(2_048), id: "rsa")
    static let otherRSA = SigningKey(.rsa(2_048), id: "other")
    static let weakRSA = SigningKey(.rsa(1_024), id: "weak")
    static let p256 = SigningKey(.ec("P-256"), id: "p256")
    static let p384 = SigningKey(.ec("P-384"), id: "p384")
    static let p521 = SigningKey(.ec("P-521"), id: "p521")
    static let ed25519 = SigningKey(.ed25519, id: "ed")

    let id: String
    let kind: Kind
    nonisolated(unsafe) private let key: OpaquePointer

    init(_ kind: Kind, id: String) {
        self.id = id
        self.kind = kind
        let name =
            switch kind {
            case .rsa: "RSA"
            case .ec: "EC"
            case .ed25519: "ED25519"
            }
        let context = EVP_PKEY_CTX_new_from_name(nil, name, nil)
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        switch kind {
        case .rsa(let bits): EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits))
        case .ec(let curve): EVP_PKEY_CTX_set_group_name(context, curve)
        case .ed25519: break
        }
        var made: OpaquePointer?
        EVP_PKEY_generate(context, &made)
        guard let made else { fatalError("no key") }
        key = made
    }

    deinit { EVP_PKEY_free(key) }

    /// The public half; `extra` replaces or adds members.
    func jwk(_ extra: [(String, JSONValue?)] = []) -> JSONValue {
        var jwk: JSONValue = ["kid": .string(id), "use": "sig"]
        switch kind {
        case .rsa:
            jwk["kty"] = "RSA"
            jwk["n"] = .string(Base64.encodeURL(number(OSSL_PKEY_PARAM_RSA_N)))
            jwk["e"] = .string(Base64.encodeURL(number(OSSL_PKEY_PARAM_RSA_E)))
        case .ec(let curve):
            let point = octets(OSSL_PKEY_PARAM_PUB_KEY)
            let half = (point.count - 1) / 2
            jwk["kty"] = "EC"
            jwk["crv"] = .string(curve)
            jwk["x"] = .string(Base64.encodeURL(Array(point[1...half])))
            jwk["y"] = .string(Base64.encodeURL(Array(point[(half + 1)...])))
        case .ed25519:
            jwk["kty"] = "OKP"
            jwk["crv"] = "Ed25519"
            jwk["x"] = .string(Base64.encodeURL(octets(OSSL_PKEY_PARAM_PUB_KEY)))
        }
        for (name, value) in extra { jwk[name] = value }
        return jwk
    }

    /// A signature over `bytes` in the form of RFC 7518.
    func sign(_ bytes: [UInt8], by algorithm: SignatureAlgorithm) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        let digest =
            switch algorithm {
            case .eddsa: OpaquePointer?.none
            case .rs256, .ps256, .es256: EVP_sha256()
            case .rs384, .ps384, .es384: EVP_sha384()
            case .rs512, .ps512, .es512: EVP_sha512()
            }
        EVP_DigestSignInit(context, &keyContext, digest, nil, key)
        if algorithm.rawValue.hasPrefix("PS") {
            EVP_PKEY_CTX_set_rsa_padding(keyContext, RSA_PKCS1_PSS_PADDING)
            EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, RSA_PSS_SALTLEN_DIGEST)
        }
        var length = 0
        EVP_DigestSign(context, nil, &length, bytes, bytes.count)
        var signature = [UInt8](repeating: 0, count: length)
        EVP_DigestSign(context, &signature, &length, bytes, bytes.count)
        signature.removeLast(signature.count - length)
        guard let half = algorithm.kind.coordinateLength else { return signature }
        return pair(signature, half)
    }

    private func pair(_ der: [UInt8], _ length: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 2 * length)
        der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            guard let pair = d2i_ECDSA_SIG(nil, &start, bytes.count) else { return }
            defer { ECDSA_SIG_free(pair) }
            result.withUnsafeMutableBufferPointer { out in
                BN_bn2binpad(ECDSA_SIG_get0_r(pair), out.baseAddress, Int32(length))
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), out.baseAddress.map { $0 + length }, Int32(length))
            }
        }
        return result
    }

    private func number(_ name: String) -> [UInt8] {
        var value: OpaquePointer?
        EVP_PKEY_get_bn_param(key, name, &value)
        defer { BN_free(value) }
        var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(value) + 7) / 8)
        BN_bn2bin(value, &bytes)
        return bytes
    }

    private func octets(_ name: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        var length = 0
        EVP_PKEY_get_octet_string_param(key, name, &bytes, bytes.count, &length)
        return Array(bytes.prefix(length))
    }
}

/// A token in the making: good unless something of it is changed.
struct TokenDraft: Sendable {
    static let issuer = "https://login.example.com/realms/acme"
    static let now = 1_800_000_000

    var header: [(String, JSONValue)] = [("typ", "at+jwt")]
    var claims: [(String, JSONValue)] = [
        ("iss", .string(issuer)), ("aud", "https://mcp.example.com"), ("sub", "alice"), ("azp", "editor"), ("groups", ["engineers"]),
        ("scope", "mcp:read mcp:write"), ("exp", .number("\(now + 300)")), ("iat", .number("\(now)")),
    ]

    /// The same with one claim replaced, added, or with nil left out.
    func with(_ name: String, _ value: JSONValue?) -> TokenDraft {
        var draft = self
        draft.claims.removeAll { $0.0 == name }
        if let value { draft.claims.append((name, value)) }
        return draft
    }

    func withHeader(_ name: String, _ value: JSONValue?) -> TokenDraft {
        var draft = self
        draft.header.removeAll { $0.0 == name }
        if let value { draft.header.append((name, value)) }
        return draft
    }

    /// The token; `alg` and `kid` are the key's unless the header has them.
    func signed(by key: SigningKey = .rsa, _ algorithm: SignatureAlgorithm = .rs256, named: Bool = true) -> String {
        var header = header
        if !header.contains(where: { $0.0 == "alg" }) { header.append(("alg", .string(algorithm.rawValue))) }
        if named, !header.contains(where: { $0.0 == "kid" }) { header.append(("kid", .string(key.id))) }
        return Self.signed(Self.text(header), Self.text(claims), by: key, algorithm)
    }

    static func signed(_ header: String, _ payload: String, by key: SigningKey = .rsa, _ algorithm: SignatureAlgorithm = .rs256) -> String {
        let start = "\(Base64.encodeURL(Array(header.utf8))).\(Base64.encodeURL(Array(payload.utf8)))"
        return "\(start).\(Base64.encodeURL(key.sign(Array(start.utf8), by: algorithm)))"
    }

    static func text(_ members: [(String, JSONValue)]) -> String { JSONValue.object(members.map { .init($0.0, $0.1) }).text }
}
