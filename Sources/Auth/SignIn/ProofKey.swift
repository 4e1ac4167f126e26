import MCPProtocol

/// PKCE: only who began a sign-in can redeem its code (RFC 7636 §4).
struct ProofKey: Sendable {
    let verifier: Secret

    init() throws(Seal.Failure) { verifier = Secret(try Nonce.make()) }
    init(verifier: String) { self.verifier = Secret(verifier) }

    /// S256.
    var challenge: String { Base64.encodeURL(SHA256Digest(of: verifier.reveal()).bytes) }
}

/// Values that nobody can guess.
enum Nonce {
    /// 256 bits as base64url.
    static func make() throws(Seal.Failure) -> String { Base64.encodeURL(try Seal.random(32)) }
}
