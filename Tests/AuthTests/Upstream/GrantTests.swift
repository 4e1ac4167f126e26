import COpenSSL
import Foundation
import JSON
import MCPProtocol
import Testing

@testable import Auth

@Suite struct ClientCredentialsTests {
    private let world = TestServices(environment: ["S": "s3cret:+&/ä"])

    private func source(
        _ authentication: OAuthClientDefinition.Authentication = .post(reference(.environment("S"))), demand: TokenDemand = TokenDemand()
    ) -> CredentialSource {
        let client = OAuthClientDefinition(
            tokenURL: "https://auth.example/token", clientID: reference(.text("my:client")), authentication: authentication)
        return CredentialSource(.clientCredentials(client, demand), upstream: "up", services: world.services)
    }

    @Test func `The token request says who asks and for what`() async throws {
        world.answers { (_, _) throws(FetchFailure) in (200, #"{"access_token":"tok","token_type":"Bearer","expires_in":3600}"#) }
        let demand = TokenDemand(scopes: ["a", "b:c"], resource: "https://up.example/mcp", audience: "up")
        #expect(try await source(demand: demand).bearer() == "tok")
        let asked = try #require(world.requests.first)
        #expect(
            asked.form == [
                "grant_type": "client_credentials", "client_id": "my:client", "client_secret": "s3cret:+&/ä", "scope": "a b:c",
                "resource": "https://up.example/mcp", "audience": "up",
            ])
        #expect(asked.request.method == "POST" && asked.request.url == "https://auth.example/token")
    }

    @Test func `Id and secret are form-encoded before they become Basic`() async throws {
        world.answers { (_, _) throws(FetchFailure) in (200, #"{"access_token":"tok","token_type":"bearer"}"#) }
        _ = try await source(.basic(reference(.environment("S")))).bearer()
        let field = try #require(world.requests.first?.request.fields.first { $0.name == "Authorization" }?.value)
        let pair = Base64.decode(field.dropFirst("Basic ".count).utf8).map { String(decoding: $0, as: UTF8.self) }
        #expect(pair == "my%3Aclient:s3cret%3A%2B%26%2F%C3%A4")
        #expect(world.requests.first?.form == ["grant_type": "client_credentials"])
    }

    @Test func `Where no way is written, the one that the server takes is found and kept`() async throws {
        world.answers { (request, _) throws(FetchFailure) in
            request.fields.contains { $0.name == "Authorization" }
                ? (200, #"{"access_token":"tok","token_type":"bearer","expires_in":100}"#) : (401, #"{"error":"invalid_client"}"#)
        }
        let source = source(.postOrBasic(reference(.environment("S"))))
        #expect(try await source.bearer() == "tok")
        #expect(world.requests.count == 2)
        world.clock.advance(.seconds(200))
        #expect(try await source.bearer() == "tok")
        #expect(world.requests.count == 3)
    }

    @Test(
        arguments: [
            (nil, "basic"), (["client_secret_basic"], "basic"), (["client_secret_post", "client_secret_basic"], "basic"),
            (["none", "client_secret_post"], "post"), (["private_key_jwt"], "either"),
        ] as [([String]?, String)])
    func `A secret for which no way is written goes as the server's metadata says`(methods: [String]?, way: String) {
        let secret = reference(.environment("S"))
        let ways: [String: OAuthClientDefinition.Authentication] = ["basic": .basic(secret), "post": .post(secret), "either": .postOrBasic(secret)]
        #expect(OAuthClientDefinition.Authentication.postOrBasic(secret).fitting(methods) == ways[way])
        for written in [OAuthClientDefinition.Authentication.post(secret), .basic(secret), .none] { #expect(written.fitting(methods) == written) }
    }

    @Test(arguments: [
        (200, "", "no JSON"), (200, "[]", "no JSON"), (200, #"{"access_token":"t"}"#, "token_type"),
        (200, #"{"access_token":"t","token_type":"DPoP"}"#, "DPoP"), (200, #"{"access_token":"t","token_type":"mac"}"#, "mac"),
        (200, #"{"token_type":"Bearer"}"#, "access_token"), (200, #"{"access_token":"","token_type":"Bearer"}"#, "access_token"),
        (200, #"{"access_token":"a b","token_type":"Bearer"}"#, "access_token"),
        (200, #"{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}"#, "access_token"),
        (200, #"{"access_token":5,"token_type":"Bearer"}"#, "access_token"),
        (200, #"{"access_token":"t","access_token":"u","token_type":"Bearer"}"#, "no JSON"),
        (200, #"{"access_token":"t","token_type":"Bearer","expires_in":0}"#, "expires_in"),
        (200, #"{"access_token":"t","token_type":"Bearer","expires_in":-5}"#, "expires_in"),
        (200, #"{"access_token":"t","token_type":"Bearer","expires_in":"soon"}"#, "expires_in"),
        (200, #"{"access_token":"t","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:refresh_token"}"#, "refresh_token"),
        (400, #"{"error":"invalid_scope","error_description":"not for you"}"#, "invalid_scope: not for you"), (500, "<html>", "500"),
        (302, "", "302"), (201, #"{"access_token":"t","token_type":"Bearer"}"#, "201"),
    ])
    func `A wrong answer gives no token, and says what is wrong`(status: Int, body: String, what: String) async {
        world.answers { (_, _) throws(FetchFailure) in (status, body) }
        let error = await #expect(throws: CredentialFailure.self) { try await source().bearer() }
        #expect(error?.description.contains(what) == true, "\(String(describing: error))")
    }

    @Test func `What the server repeats of the request is masked`() async {
        world.answers { (request, form) throws(FetchFailure) in
            let field = request.fields.first { $0.name == "Authorization" }?.value ?? ""
            return (400, JSONValue.object([.init("error", "e"), .init("error_description", .string("\(form) \(field)"))]).text)
        }
        for way in [OAuthClientDefinition.Authentication.post(reference(.environment("S"))), .basic(reference(.environment("S")))] {
            let text = await #expect(throws: CredentialFailure.self) { try await source(way).bearer() }?.description ?? ""
            let pair = Base64.encode(Array("my%3Aclient:s3cret%3A%2B%26%2F%C3%A4".utf8))
            #expect(!text.contains("s3cret") && !text.contains(pair) && text.contains("‹secret›"))
        }
    }

    @Test func `A secret that was replaced while it was refused is tried once more`() async throws {
        let folder = try Folder()
        let path = try folder.write("old", to: "s")
        world.answers { (_, form) throws(FetchFailure) in
            if form["client_secret"] == "new" { return (200, #"{"access_token":"tok","token_type":"Bearer","expires_in":60}"#) }
            _ = try? folder.write("new", to: "s")
            return (401, #"{"error":"invalid_client"}"#)
        }
        #expect(try await source(.post(reference(.file(path)))).bearer() == "tok")
        #expect(world.requests.count == 2)
    }
}

@Suite struct TokenExchangeTests {
    private let world = TestServices(environment: ["S": "s3cret"])

    private func source() -> CredentialSource {
        let client = OAuthClientDefinition(
            tokenURL: "https://auth.example/token", clientID: reference(.text("gw")), authentication: .post(reference(.environment("S"))))
        return CredentialSource(.tokenExchange(client, TokenDemand(audience: "up")), upstream: "up", services: world.services)
    }

    private func answerWithSubject() {
        world.answers { (_, form) throws(FetchFailure) in
            let type = "urn:ietf:params:oauth:token-type:access_token"
            let token = "for-\(form["subject_token"] ?? "")"
            return (200, #"{"access_token":"\#(token)","token_type":"Bearer","issued_token_type":"\#(type)","expires_in":300}"#)
        }
    }

    @Test func `The caller's token is exchanged, once for each caller, and the result kept`() async throws {
        answerWithSubject()
        let source = source()
        for _ in 0..<3 {
            #expect(try await source.bearer(for: user("alice", token: "A")) == "for-A")
            #expect(try await source.bearer(for: user("bob", token: "B")) == "for-B")
        }
        #expect(world.requests.count == 2)
        let form = try #require(world.requests.first?.form)
        #expect(form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange" && form["subject_token"] == "A")
        #expect(form["subject_token_type"] == "urn:ietf:params:oauth:token-type:access_token" && form["audience"] == "up")
    }

    @Test func `Where many exchange at once, each finds out for itself how the server wants the secret`() async throws {
        world.answers { (request, form) throws(FetchFailure) in
            request.fields.contains { $0.name == "Authorization" }
                ? (200, #"{"access_token":"for-\#(form["subject_token"] ?? "")","token_type":"Bearer"}"#) : (401, #"{"error":"invalid_client"}"#)
        }
        let client = OAuthClientDefinition(
            tokenURL: "https://auth.example/token", clientID: reference(.text("gw")), authentication: .postOrBasic(reference(.environment("S"))))
        let source = CredentialSource(.tokenExchange(client, TokenDemand()), upstream: "up", services: world.services)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for n in 0..<100 { group.addTask { (try? await source.bearer(for: user("u\(n)", token: "t\(n)"))) != "for-t\(n)" } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 0)
    }

    @Test func `A token with fewer scopes does not get what one with more was given`() async throws {
        answerWithSubject()
        let source = source()
        #expect(try await source.bearer(for: user("alice", token: "wide", scopes: ["read", "write"])) == "for-wide")
        #expect(try await source.bearer(for: user("alice", token: "narrow", scopes: ["read"])) == "for-narrow")
    }

    @Test func `It is not used for longer than the token that it was made from`() async throws {
        answerWithSubject()
        let source = source()
        #expect(try await source.bearer(for: user("alice", token: "A", expires: world.clock.date + 100)) == "for-A")
        world.clock.advance(.seconds(101))
        #expect(try await source.bearer(for: user("alice", token: "A2")) == "for-A2")
    }

    @Test(arguments: [Caller.anonymous, .localUser("me"), Caller(.key(id: "k"), client: "bot")])
    func `A caller without a token is refused, and nobody is asked`(caller: Caller) async {
        answerWithSubject()
        let error = await #expect(throws: CredentialFailure.self) { try await source().bearer(for: caller) }
        #expect(error?.isOfCaller == true && world.requests.isEmpty)
    }

    @Test func `The caller's own token handed back is not sent on`() async {
        world.answers { (_, form) throws(FetchFailure) in (200, #"{"access_token":"\#(form["subject_token"] ?? "")","token_type":"Bearer"}"#) }
        let error = await #expect(throws: CredentialFailure.self) { try await source().bearer(for: user("alice", token: "mine-alone")) }
        #expect(error?.description.contains("never goes upstream") == true && error?.description.contains("mine-alone") == false)
    }
}

@Suite struct SignedTokenTests {
    static let algorithms: [(SignatureAlgorithm, String)] = [
        (.rs256, "RSA"), (.ps256, "RSA"), (.es256, "P-256"), (.es384, "P-384"), (.es512, "P-521"), (.eddsa, "ED25519"),
    ]

    @Test(arguments: algorithms)
    func `The token names the caller, and its signature is right`(algorithm: SignatureAlgorithm, kind: String) async throws {
        let world = TestServices(environment: ["K": pem(kind)])
        let source = source(world, algorithm)
        let token = try await source.bearer(for: user("alice"))
        let parsed = try JSONWebToken(token)
        #expect(parsed.algorithm == algorithm && parsed.keyID == "k1")
        #expect(parsed.claims["sub"] == "alice" && parsed.claims["iss"] == "https://gw.example" && parsed.claims["aud"] == "up")
        #expect(parsed.claims["idp"] == "https://login.example" && parsed.claims["jti"]?.string?.isEmpty == false)
        #expect(parsed.claims["exp"]?.integer == world.clock.date + 60 && parsed.claims["iat"]?.integer == world.clock.date)
        let key = try #require(publicKey(kind, pem: pem(kind)))
        #expect(key.verifies(parsed.signature, over: parsed.signed, by: algorithm))
    }

    @Test func `Each caller has their own, used again while it is good`() async throws {
        let world = TestServices(environment: ["K": pem("P-256")])
        let source = source(world, .es256)
        let alice = try await source.bearer(for: user("alice"))
        #expect(try await source.bearer(for: user("alice")) == alice)
        #expect(try await source.bearer(for: user("bob")) != alice)
        world.clock.advance(.seconds(55))
        #expect(try await source.bearer(for: user("alice")) != alice)
    }

    @Test(arguments: [("P-256", SignatureAlgorithm.rs256), ("RSA", .es256), ("P-384", .es256), ("ED25519", .ps256)])
    func `A key of another kind is refused`(kind: String, algorithm: SignatureAlgorithm) async {
        let world = TestServices(environment: ["K": pem(kind)])
        await #expect(throws: CredentialFailure.self) { try await source(world, algorithm).bearer(for: user("alice")) }
    }

    @Test(arguments: ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
    func `What is no key is refused, unshown`(text: String) async {
        let world = TestServices(environment: ["K": text])
        let error = await #expect(throws: CredentialFailure.self) { try await source(world, .es256).bearer(for: user("alice")) }
        if !text.isEmpty { #expect(error?.description.contains(text) == false) }
    }

    @Test func `A new key is used within a second, and the old one until it can be read`() async throws {
        let folder = try Folder()
        let path = try folder.write(pem("P-256"), to: "key")
        let world = TestServices()
        let source = source(world, .es256, key: .file(path))
        let first = try await source.bearer(for: user("alice"))
        try folder.write("half a k", to: "key")
        world.clock.advance(.seconds(1))
        #expect(try await source.bearer(for: user("alice")) == first)
        let fresh = newKey("P-256")
        try folder.write(fresh, to: "key")
        world.clock.advance(.seconds(1))
        let parsed = try JSONWebToken(try await source.bearer(for: user("alice")))
        #expect(try #require(publicKey("P-256", pem: fresh)).verifies(parsed.signature, over: parsed.signed, by: .es256))
    }

    private func source(
        _ world: TestServices, _ algorithm: SignatureAlgorithm, key: SecretReference.Part = .environment("K")
    ) -> CredentialSource {
        let signing = SigningDefinition(key: reference(key), keyID: "k1", algorithm: algorithm)
        return CredentialSource(
            .signedJWT(.init(signing: signing, issuer: "https://gw.example", audience: "up", life: .seconds(60))), upstream: "up",
            services: world.services)
    }
}

private let keys = Dictionary(uniqueKeysWithValues: ["RSA", "P-256", "P-384", "P-521", "ED25519"].map { ($0, newKey($0)) })

private func pem(_ kind: String) -> String { keys[kind] ?? "" }

private func newKey(_ kind: String) -> String {
    let name = kind.hasPrefix("P-") ? "EC" : kind
    let context = EVP_PKEY_CTX_new_from_name(nil, name, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    EVP_PKEY_keygen_init(context)
    if name == "EC" { EVP_PKEY_CTX_set_group_name(context, kind) }
    EVP_PKEY_generate(context, &key)
    defer { EVP_PKEY_free(key) }
    let bio = BIO_new(BIO_s_mem())
    defer { BIO_free(bio) }
    PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil)
    var bytes = [UInt8](repeating: 0, count: 8_192)
    let count = BIO_read(bio, &bytes, Int32(bytes.count))
    return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
}

private func publicKey(_ kind: String, pem: String) -> VerificationKey? {
    let kinds: [String: VerificationKey.Kind] = ["RSA": .rsa, "P-256": .p256, "P-384": .p384, "P-521": .p521, "ED25519": .ed25519]
    let parsed = Array(pem.utf8).withUnsafeBytes { bytes in
        let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
        defer { BIO_free(bio) }
        return PEM_read_bio_PrivateKey(bio, nil, nil, nil)
    }
    guard let key = parsed, let kind = kinds[kind] else { return nil }
    return VerificationKey(key, kind: kind, id: nil, algorithm: nil, thumbprint: SHA256Digest(of: pem))
}
