/// How a token may be signed (RFC 7518 §3.1, RFC 8037 §3.1): public-key algorithms only, so that nobody who can verify can sign.
package enum SignatureAlgorithm: String, Hashable, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case eddsa = "EdDSA"

    /// Those that are accepted where the configuration names none.
    package static let standard: [SignatureAlgorithm] = [.rs256, .ps256, .es256, .eddsa]
}
