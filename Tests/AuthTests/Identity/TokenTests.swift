import JSON
import MCPProtocol
import Testing

@testable import Auth

@Suite struct TokenTests {
    static let issuer = FakeIssuer(
        [SigningKey.rsa, .p256, .p384, .p521, .ed25519, .weakRSA].map { $0.jwk() } + [["kty": "oct", "kid": "oct", "k": "c2VjcmV0"]])
    static let identity = issuer.identity()

    @Test(arguments: [
        (SigningKey.rsa, [SignatureAlgorithm.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]), (.p256, [.es256]), (.p384, [.es384]), (.p521, [.es512]),
        (.ed25519, [.eddsa]),
    ])
    func `A token is good by every algorithm that fits the key`(_ key: SigningKey, _ algorithms: [SignatureAlgorithm]) async throws {
        for algorithm in algorithms {
            for named in [true, false] {
                let caller = try await Self.identity.identify(token: TokenDraft().signed(by: key, algorithm, named: named))
                #expect(caller.description == "user:alice,client:editor")
            }
        }
    }

    @Test func `Claims become user, client, groups and scopes, and the token is kept for exchange`() async throws {
        let token = TokenDraft().signed()
        let caller = try await Self.identity.identify(token: token)
        #expect(caller.proof == .token(issuer: TokenDraft.issuer))
        #expect(caller.user == "alice" && caller.client == "editor" && caller.groups == ["engineers"] && caller.scopes == ["mcp:read", "mcp:write"])
        #expect(caller.token?.value.reveal() == token && caller.token?.expires == TokenDraft.now + 300)
    }

    @Test(
        arguments: [
            ("an expired one", TokenDraft().with("exp", .number("\(TokenDraft.now - 61)"))),
            ("one that expired as long ago as clocks may differ", TokenDraft().with("exp", .number("\(TokenDraft.now - 60)"))),
            ("one without exp", TokenDraft().with("exp", nil)),
            ("one whose exp is text", TokenDraft().with("exp", "9999999999")),
            ("one whose exp is no time", TokenDraft().with("exp", .number("1e300"))),
            ("one whose exp is negative", TokenDraft().with("exp", .number("-1"))),
            ("one that is not good yet", TokenDraft().with("nbf", .number("\(TokenDraft.now + 61)"))),
            ("one whose nbf is null", TokenDraft().with("nbf", .null)),
            ("one from the future", TokenDraft().with("iat", .number("\(TokenDraft.now + 61)"))),
            ("one for somebody else", TokenDraft().with("aud", "https://other.example.com")),
            ("one for a longer name", TokenDraft().with("aud", "https://mcp.example.com/")),
            ("one for nobody", TokenDraft().with("aud", nil)),
            ("one for an empty list", TokenDraft().with("aud", [])),
            ("one for a list with a number", TokenDraft().with("aud", ["switchboard", 1])),
            ("one of another issuer", TokenDraft().with("iss", "https://evil.example.com")),
            ("one of an issuer with a slash more", TokenDraft().with("iss", .string(TokenDraft.issuer + "/"))),
            ("one of an issuer in capitals", TokenDraft().with("iss", .string(TokenDraft.issuer.uppercased()))),
            ("one without an issuer", TokenDraft().with("iss", nil)),
            ("one whose issuer is a list", TokenDraft().with("iss", [.string(TokenDraft.issuer)])),
            ("one that names nobody", TokenDraft().with("sub", nil).with("azp", nil)),
            ("one whose user is a number", TokenDraft().with("sub", 7)),
            ("one whose user is empty", TokenDraft().with("sub", "")),
            ("one whose user has a line break", TokenDraft().with("sub", "alice\ninfo")),
            ("one whose user is half a character", TokenDraft().with("sub", "a\u{FFFD}")),
            ("one whose user is very long", TokenDraft().with("sub", .string(String(repeating: "a", count: 257)))),
            ("one whose groups are a number", TokenDraft().with("groups", 7)),
            ("one with a number among its groups", TokenDraft().with("groups", ["a", 7])),
            ("one with an object among its groups", TokenDraft().with("groups", [["name": "a"]])),
            ("one whose groups are elsewhere", TokenDraft().with("groups", nil).with("_claim_names", ["groups": "src1"])),
            ("an ID token by its hash", TokenDraft().with("at_hash", "x")),
            ("an ID token by its claim", TokenDraft().with("typ", "ID")),
            ("a refresh token", TokenDraft().with("typ", "Refresh")),
            ("an ID token by its use", TokenDraft().with("token_use", "id")),
            ("one that is bound to a key", TokenDraft().with("cnf", ["jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"])),
            ("a logout token", TokenDraft().with("events", ["http://schemas.openid.net/event/backchannel-logout": [:]])),
            ("one with crit", TokenDraft().withHeader("crit", ["exp"])),
            ("one with an empty crit", TokenDraft().withHeader("crit", [])),
            ("one with b64", TokenDraft().withHeader("b64", false)),
            ("one with a token inside", TokenDraft().withHeader("cty", "JWT")),
            ("a logout token by its type", TokenDraft().withHeader("typ", "logout+jwt")),
            ("a DPoP proof", TokenDraft().withHeader("typ", "dpop+jwt")),
            ("one whose type is a number", TokenDraft().withHeader("typ", 7)),
            ("one whose kid is a number", TokenDraft().withHeader("kid", 7)),
            ("one without alg", TokenDraft().withHeader("alg", .null)),
            ("alg none", TokenDraft().withHeader("alg", "none")),
            ("alg NONE", TokenDraft().withHeader("alg", "NONE")),
            ("alg nOnE with a blank", TokenDraft().withHeader("alg", "nOnE ")),
            ("HS256", TokenDraft().withHeader("alg", "HS256")),
            ("another case", TokenDraft().withHeader("alg", "rs256")),
            ("another RSA algorithm than it was signed by", TokenDraft().withHeader("alg", "PS256")),
            ("another digest than it was signed by", TokenDraft().withHeader("alg", "RS512")),
            ("an algorithm of another key", TokenDraft().withHeader("alg", "ES256")),
            ("the kid of another key", TokenDraft().withHeader("kid", "p256")),
            ("the kid of a symmetric key", TokenDraft().withHeader("kid", "oct")),
            ("a kid that is a path", TokenDraft().withHeader("kid", "../../dev/null")),
        ] as [(String, TokenDraft)])
    func `A token is refused that is`(_ what: String, _ draft: TokenDraft) async {
        guard case .invalid = await Self.identity.refusal(of: draft.signed()) else {
            Issue.record("\(what) was accepted")
            return
        }
    }

    @Test(arguments: [
        TokenDraft().with("exp", .number("\(TokenDraft.now - 59)")), TokenDraft().with("nbf", .number("\(TokenDraft.now + 60)")),
        TokenDraft().with("exp", .number("\(TokenDraft.now + 5).5")), TokenDraft().with("aud", ["https://x.example", "switchboard"]),
        TokenDraft().withHeader("typ", nil), TokenDraft().withHeader("typ", "JWT"), TokenDraft().withHeader("typ", "application/at+jwt"),
        TokenDraft().with("typ", "Bearer"), TokenDraft().with("nonce", "x"), TokenDraft().with("groups", nil), TokenDraft().with("iat", nil),
    ])
    func `A token is good that is a little old, for several, or of a kind by another name`(_ draft: TokenDraft) async throws {
        #expect(try await Self.identity.identify(token: draft.signed()).user == "alice")
    }

    @Test func `A token that another key signed is refused`() async {
        #expect(
            await Self.identity.refusal(of: TokenDraft().withHeader("kid", "rsa").signed(by: .otherRSA))
                == .invalid("a token whose signature is wrong"))
        #expect(await Self.identity.refusal(of: TokenDraft().signed(by: .otherRSA, named: false)) == .invalid("a token whose signature is wrong"))
    }

    @Test func `A key that travels in the token is not used`() async {
        for name in ["jwk", "x5c"] {
            let draft = TokenDraft().withHeader(name, name == "jwk" ? SigningKey.otherRSA.jwk() : ["AAAA"]).withHeader(
                "jku", "https://evil.example/keys")
            guard case .invalid = await Self.identity.refusal(of: draft.signed(by: .otherRSA)) else {
                Issue.record("accepted")
                return
            }
        }
        #expect(!Self.issuer.asked.contains { $0.contains("evil") })
    }

    @Test func `The public key is no secret to sign with`() async {
        // What a verifier that lets the token choose would compute: HMAC with the public key as its secret.
        let key = SigningKey.rsa.jwk()["n"]?.string ?? ""
        let start = "\(Base64.encodeURL(Array("{\"alg\":\"HS256\"}".utf8))).\(Base64.encodeURL(Array(TokenDraft.text(TokenDraft().claims).utf8)))"
        for signature in [SHA256Digest(of: key + start).bytes, [], [0]] {
            guard case .invalid = await Self.identity.refusal(of: "\(start).\(Base64.encodeURL(signature))") else {
                Issue.record("accepted")
                return
            }
        }
    }

    @Test func `A weak key verifies nothing`() async {
        #expect(await Self.identity.refusal(of: TokenDraft().signed(by: .weakRSA)) != nil)
        #expect(VerificationKey(jwk: SigningKey.weakRSA.jwk()) == nil)
    }

    @Test(arguments: [
        ("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"alg\":\"RS256\"}", "alg twice in the header"), ("[]", "a header that is a list"),
        ("", "an empty header"),
        ("{\"alg\":\"RS256\",\"kid\":\"rsa\"} {}", "two headers"), ("\u{FEFF}{\"alg\":\"RS256\",\"kid\":\"rsa\"}", "a byte order mark"),
    ])
    func `A header with two readings is refused`(_ header: String, _ what: String) async {
        let token = TokenDraft.signed(header, TokenDraft.text(TokenDraft().claims))
        #expect(await Self.identity.refusal(of: token) != nil, "\(what)")
    }

    @Test(arguments: [
        "\"sub\":\"admin\"", "\"\\u0073ub\":\"admin\"", "\"exp\":9999999999",
        "\"x\":" + String(repeating: "[", count: 20) + String(repeating: "]", count: 20),
        "\"x\":nan", "\"x\":01", "\"x\":\"\\x\"",
    ])
    func `A payload with two readings is refused`(_ extra: String) async {
        let payload = TokenDraft.text(TokenDraft().claims).dropLast() + "," + extra + "}"
        #expect(await Self.identity.refusal(of: TokenDraft.signed("{\"alg\":\"RS256\",\"kid\":\"rsa\"}", payload)) != nil)
    }

    @Test func `Another spelling of a good token is refused`() async {
        let token = TokenDraft().signed()
        let parts = token.split(separator: ".").map(String.init)
        let others = [
            token + "=", token + ".", "." + token, token + "\n", token + " x", token.replacing(".", with: ".."), parts.joined(separator: "=."),
            parts.joined(separator: ". "), "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).", "\(parts[0])..\(parts[2])",
            parts.joined(separator: ".") + ".x.y",
            token.replacing("-", with: "+").replacing("_", with: "/") + (token.contains("-") || token.contains("_") ? "" : "/"),
        ]
        for other in others { #expect(await Self.identity.refusal(of: other) != nil, "\(other)") }
    }

    @Test func `A token that is cut off anywhere is refused`() async {
        let token = TokenDraft().signed(by: .p256, .es256)
        for length in 0..<token.utf8.count { #expect(await Self.identity.refusal(of: String(token.prefix(length))) != nil) }
    }

    @Test func `A token with any character changed is refused`() async throws {
        let token = Array(TokenDraft().signed(by: .p256, .es256).utf8)
        _ = try await Self.identity.identify(token: String(decoding: token, as: UTF8.self))
        for index in token.indices {
            for bit in [UInt8(1), 2, 32] {
                var other = token
                other[index] ^= bit
                let text = String(decoding: other, as: UTF8.self)
                #expect(await Self.identity.refusal(of: text) != nil, "\(index)")
                #expect(Self.identity.remembered(token: text) == nil)
            }
        }
    }

    @Test func `A token that is too long is refused before it is read`() async {
        let token = TokenDraft().with("x", .string(String(repeating: "x", count: 16_000))).signed()
        #expect(await Self.identity.refusal(of: token) == .invalid("a token of more than 16 KiB"))
    }

    @Test func `Only the algorithms that are allowed are`() async throws {
        let identity = Self.issuer.identity([.es256])
        #expect(await identity.refusal(of: TokenDraft().signed()) == .invalid("a token signed by RS256, which is not allowed"))
        #expect(try await identity.identify(token: TokenDraft().signed(by: .p256, .es256)).user == "alice")
    }

    @Test(arguments: [
        (ClaimNames(user: "email", groups: "realm_access.roles", client: ["client_id"]), "user:a@example.com,client:other", ["admin"]),
        (ClaimNames(groups: "https://example.com/groups"), "user:alice,client:editor", ["x", "y"]),
        (ClaimNames(groups: "nothing.there"), "user:alice,client:editor", []),
        (ClaimNames(user: "nothing"), "client:editor", ["engineers"]),
    ])
    func `Claims are taken from where the configuration says`(_ names: ClaimNames, _ caller: String, _ groups: [String]) async throws {
        let draft = TokenDraft().with("email", "a@example.com").with("realm_access", ["roles": ["admin"]]).with("client_id", "other").with(
            "https://example.com/groups", "x y")
        let found = try await Self.issuer.identity(claims: names).identify(token: draft.signed())
        #expect(found.description == caller && found.groups == Set(groups.map { GroupName($0) }))
    }

    @Test func `A client's own token is no user's`() async throws {
        let caller = try await Self.identity.identify(token: TokenDraft().with("sub", "editor").signed())
        #expect(caller.user == nil && caller.client == "editor")
    }

    @Test func `Two users whose names look the same to Unicode are two`() async throws {
        let one = try await Self.identity.identify(token: TokenDraft().with("sub", "Kelvin").signed())
        let other = try await Self.identity.identify(token: TokenDraft().with("sub", "\u{212A}elvin").signed())
        #expect(one.identity != other.identity)
    }

    @Test(
        arguments: [
            [("use", "enc")], [("key_ops", ["sign"])], [("alg", "RSA-OAEP")], [("alg", 7)], [("kid", 7)], [("e", "AQ")], [("e", "Ag")], [("n", "")],
            [("n", "AQAB")], [("kty", "EC")], [("kty", "oct"), ("k", "AQAB")], [("e", "AQABAQABAQABAQAB")],
        ] as [[(String, JSONValue?)]])
    func `A key that is not to verify with, or broken, is passed over`(_ change: [(String, JSONValue?)]) {
        #expect(VerificationKey(jwk: SigningKey.rsa.jwk(change)) == nil)
    }

    @Test func `A point that is not on its curve is no key`() {
        let x = SigningKey.p256.jwk()["x"], y = SigningKey.p256.jwk()["y"]
        #expect(VerificationKey(jwk: SigningKey.p256.jwk([("x", y), ("y", x)])) == nil)
        #expect(VerificationKey(jwk: SigningKey.p256.jwk([("crv", "P-384")])) == nil)
        #expect(VerificationKey(jwk: SigningKey.p256.jwk([("crv", "secp256k1")])) == nil)
        #expect(VerificationKey(jwk: SigningKey.p256.jwk()) != nil)
    }

    @Test func `A key is used only by the algorithm that its issuer says`() async {
        let identity = FakeIssuer([SigningKey.rsa.jwk([("alg", "PS256")])]).identity()
        #expect(await identity.refusal(of: TokenDraft().signed()) != nil)
        #expect(await identity.refusal(of: TokenDraft().signed(by: .rsa, .ps256)) == nil)
    }
}
