import JSON
import MCPProtocol

/// A signed token taken apart (RFC 7515 §7.1, RFC 7519), nothing of it verified.
struct JSONWebToken {
    static let bytesMax = 16 * 1024
    private static let depthMax = 16

    let algorithm: SignatureAlgorithm
    let keyID: String?
    /// An object.
    let claims: JSONValue
    /// What the signature is over: the first two parts and the dot between.
    let signed: [UInt8]
    let signature: [UInt8]

    /// Refuses whatever two implementations might read in two ways.
    init(_ text: String) throws(IdentityRefusal) {
        guard text.utf8.count <= Self.bytesMax else { throw .invalid("a token of more than \(Self.bytesMax / 1024) KiB") }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count != 5 else { throw .invalid("an encrypted token") }
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw .invalid("something that is neither an API key nor a signed token") }
        let header = try Self.object(parts[0], "header")
        algorithm = try Self.algorithm(header)
        keyID = try Self.text("kid", of: header)
        try Self.checkKind(header)
        claims = try Self.object(parts[1], "payload")
        guard let signature = Base64.decodeURL(String(Substring(parts[2]))) else { throw .invalid("a token whose signature is not base64url") }
        self.signature = signature
        signed = Array(text.utf8.prefix(parts[0].count + 1 + parts[1].count))
    }

    private static func object(_ part: Substring.UTF8View, _ name: String) throws(IdentityRefusal) -> JSONValue {
        guard let bytes = Base64.decodeURL(String(Substring(part))) else { throw .invalid("a token whose \(name) is not base64url") }
        // A member that stands twice is refused by the parser: one reader might take the first, another the last.
        guard let value = try? JSONValue(parsing: bytes, depthMax: depthMax), value.members != nil else {
            throw .invalid("a token whose \(name) is not a JSON object")
        }
        return value
    }

    private static func algorithm(_ header: JSONValue) throws(IdentityRefusal) -> SignatureAlgorithm {
        guard let name = try text("alg", of: header) else { throw .invalid("a token without `alg`") }
        // `none` needs no key, and with HS256 the public key would be the secret (RFC 8725 §2.1).
        guard let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw .invalid("a token signed by \(name.prefix(20)), which is never accepted")
        }
        return algorithm
    }

    /// Refuses extensions that must be understood, tokens within tokens, and tokens of other kinds (RFC 8725 §3.11, RFC 9068 §4).
    private static func checkKind(_ header: JSONValue) throws(IdentityRefusal) {
        for name in ["crit", "b64", "enc", "zip"] where header[name] != nil { throw .invalid("a token with `\(name)` in its header") }
        if header["cty"] != nil { throw .invalid("a token that holds something else than claims (`cty`)") }
        guard let kind = try text("typ", of: header)?.lowercased() else { return }
        guard ["jwt", "at+jwt", "application/at+jwt", "application/jwt"].contains(kind) else {
            throw .invalid("a token of the type \(kind.prefix(40)), which is no access token")
        }
    }

    private static func text(_ name: String, of header: JSONValue) throws(IdentityRefusal) -> String? {
        guard let value = header[name] else { return nil }
        guard let text = value.string, text.utf8.count <= 256 else { throw .invalid("a token whose `\(name)` is no short text") }
        return text
    }
}
