import JSON

/// The keys of an issuer, as of one answer (RFC 7517 §5).
struct KeySet: Sendable {
    static let bytesMax = 256 * 1024
    /// More than any issuer has; what stands behind is passed over.
    private static let countMax = 64
    /// How many keys are tried for a token that names none.
    private static let triesMax = 8

    let keys: [VerificationKey]
    private let thumbprints: Set<SHA256Digest>

    /// Nil for an answer that is no key set, or holds no key to verify with.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.bytesMax, let value = try? JSONValue(parsing: bytes, depthMax: 16), let entries = value["keys"]?.array else {
            return nil
        }
        keys = entries.prefix(Self.countMax).compactMap { VerificationKey(jwk: $0) }
        guard !keys.isEmpty else { return nil }
        thumbprints = Set(keys.map(\.thumbprint))
    }

    /// Whether it has a key of that name, for whatever purpose.
    func contains(keyID: String) -> Bool { keys.contains { $0.id == keyID } }

    func contains(_ thumbprint: SHA256Digest) -> Bool { thumbprints.contains(thumbprint) }

    /// The key that signed `token`; nil where none of these did.
    func signer(of token: JSONWebToken) -> VerificationKey? {
        let candidates = keys.filter { (token.keyID == nil || $0.id == token.keyID) && $0.fits(token.algorithm) }
        return candidates.prefix(Self.triesMax).first { $0.verifies(token.signature, over: token.signed, by: token.algorithm) }
    }
}
