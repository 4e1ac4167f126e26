import JSON
import Testing

@testable import Auth

@Suite struct IssuerKeysTests {
    @Test(arguments: [
        ("https://a.example", ["https://a.example/.well-known/oauth-authorization-server", "https://a.example/.well-known/openid-configuration"]),
        ("https://a.example/", ["https://a.example/.well-known/oauth-authorization-server", "https://a.example/.well-known/openid-configuration"]),
        (
            "https://a.example:8443/realms/x",
            [
                "https://a.example:8443/.well-known/oauth-authorization-server/realms/x",
                "https://a.example:8443/realms/x/.well-known/openid-configuration",
                "https://a.example:8443/.well-known/openid-configuration/realms/x",
            ]
        ),
    ])
    func `Metadata is looked for where RFC 8414 and OpenID Connect put it`(_ issuer: String, _ places: [String]) {
        #expect(IssuerMetadata.addresses(of: issuer) == places)
    }

    @Test func `Keys are found by either form of discovery, and read once`() async throws {
        for place in IssuerMetadata.addresses(of: TokenDraft.issuer) {
            let issuer = FakeIssuer()
            issuer.set { $0.metadataAt = place }
            let identity = issuer.identity()
            for _ in 0..<3 { _ = try await identity.identify(token: TokenDraft().signed()) }
            #expect(issuer.keyRequests == 1)
        }
    }

    @Test func `A jwks_url that is configured is asked without discovery`() async throws {
        let issuer = FakeIssuer()
        _ = try await issuer.identity(jwksURL: "https://keys.example.com/keys").identify(token: TokenDraft().signed())
        #expect(issuer.state.withLock { $0.sources } == ["configured https://keys.example.com/keys"])
    }

    @Test(arguments: [("https://login.example.com/keys", "configured"), ("https://169.254.169.254/keys", "discovered")])
    func `Keys on another host than the issuer's are fetched as discovered`(_ address: String, _ source: String) async throws {
        let issuer = FakeIssuer()
        issuer.set { $0.metadata["jwks_uri"] = .string(address) }
        _ = try await issuer.identity().identify(token: TokenDraft().signed())
        #expect(issuer.state.withLock { $0.sources.last } == "\(source) \(address)")
    }

    @Test(
        arguments: [
            ["issuer": "https://evil.example.com", "jwks_uri": "https://login.example.com/keys"], ["jwks_uri": "https://login.example.com/keys"],
            ["issuer": .string(TokenDraft.issuer)], ["issuer": .string(TokenDraft.issuer), "jwks_uri": 7], [],
        ] as [JSONValue])
    func `Metadata of another issuer, or without keys, is no use`(_ metadata: JSONValue) async {
        let issuer = FakeIssuer()
        issuer.set { $0.metadata = metadata }
        guard case .unavailable = await issuer.identity().refusal(of: TokenDraft().signed()) else {
            Issue.record("accepted")
            return
        }
    }

    @Test func `A new key is found at once, and what the old one signed is no longer good`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        let old = TokenDraft().signed()
        let caller = try await identity.identify(token: old)
        #expect(identity.remembered(token: old) == caller && identity.isStillGood(caller))
        issuer.set { $0.keys = [SigningKey.p256.jwk()] }
        issuer.pass(31)
        _ = try await identity.identify(token: TokenDraft().signed(by: .p256, .es256))
        #expect(issuer.keyRequests == 2)
        #expect(!identity.isStillGood(caller) && identity.remembered(token: old) == nil)
        #expect(await identity.refusal(of: old) == .invalid("a token signed with an unknown key"))
    }

    @Test func `A new key without a name is found too`() async throws {
        let issuer = FakeIssuer([SigningKey.rsa.jwk([("kid", nil)])])
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed(named: false))
        issuer.set { $0.keys = [SigningKey.otherRSA.jwk([("kid", nil)])] }
        issuer.pass(31)
        _ = try await identity.identify(token: TokenDraft().signed(by: .otherRSA, named: false))
    }

    @Test func `Unknown keys make three requests in 90 seconds, however many tokens name them`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed())
        for round in 1...3 {
            issuer.pass(91)
            for number in 0..<20 {
                #expect(await identity.refusal(of: TokenDraft().withHeader("kid", .string("k\(number)")).signed()) != nil)
            }
            #expect(issuer.keyRequests == 1 + 3 * round)
        }
    }

    @Test func `A key that is new a moment after a forged one is found`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed())
        #expect(await identity.refusal(of: TokenDraft().withHeader("kid", "forged").signed()) != nil)
        issuer.set { $0.keys = [SigningKey.p256.jwk()] }
        _ = try await identity.identify(token: TokenDraft().signed(by: .p256, .es256))
    }

    @Test func `Those who come while the keys are read wait for one answer`() async {
        let issuer = FakeIssuer()
        issuer.set { $0.gate = [] }
        let identity = issuer.identity()
        let count = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask { await identity.refusal(of: TokenDraft().with("jti", .string("\(number)")).signed()) == nil }
            }
            await issuer.open(after: 1)
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(count == 20 && issuer.keyRequests == 1)
    }

    @Test func `An issuer that is down from the start is tried again soon, and its tokens are not called wrong`() async throws {
        let issuer = FakeIssuer()
        issuer.set { $0.isDown = true }
        let identity = issuer.identity()
        guard case .unavailable = await identity.refusal(of: TokenDraft().signed()) else {
            Issue.record("not unavailable")
            return
        }
        issuer.set { $0.isDown = false }
        guard case .unavailable = await identity.refusal(of: TokenDraft().signed()) else {
            Issue.record("asked again at once")
            return
        }
        issuer.pass(IssuerKeys.firstPause)
        #expect(try await identity.identify(token: TokenDraft().signed()).user == "alice")
    }

    @Test func `Keys stay in use for a day while their issuer is down`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed())
        issuer.set { $0.isDown = true }
        issuer.pass(IssuerKeys.ageMax)
        await identity.keepKeysFresh()
        let later = TokenDraft().with("exp", .number("\(TokenDraft.now + 200_000)"))
        let caller = try await identity.identify(token: later.signed())
        issuer.pass(1)
        #expect(!identity.isStillGood(caller) && identity.remembered(token: later.signed()) == nil)
        guard case .unavailable = await identity.refusal(of: later.signed()) else {
            Issue.record("not unavailable")
            return
        }
    }

    @Test(
        arguments: [
            ([], 600), (["max-age=120"], 120), (["public, max-age=7200"], 3_600), (["max-age=0, must-revalidate"], 60), (["no-store"], 600),
            (["max-age=x"], 600),
        ] as [([String], Int)])
    func `Keys are read again when the answer says so, within bounds`(_ directives: [String], _ seconds: Int) async {
        let issuer = FakeIssuer()
        issuer.set { $0.fields = directives.map { (name: "cache-control", value: $0) } }
        let identity = issuer.identity()
        await identity.keepKeysFresh()
        issuer.pass(seconds - 1)
        await identity.keepKeysFresh()
        #expect(issuer.keyRequests == 1)
        issuer.pass(1)
        await identity.keepKeysFresh()
        #expect(issuer.keyRequests == 2)
    }

    @Test func `An answer without keys changes nothing`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed())
        issuer.set { $0.keys = [["kty": "oct", "k": "AAAA"]] }
        issuer.pass(3_600)
        await identity.keepKeysFresh()
        #expect(issuer.keyRequests == 2)
        #expect(try await identity.identify(token: TokenDraft().with("exp", .number("\(TokenDraft.now + 9_000)")).signed()).user == "alice")
    }

    @Test func `No more than 64 keys are kept`() {
        let keys = (0..<100).map { SigningKey.ed25519.jwk([("kid", .string("k\($0)"))]) }
        let text = JSONValue.object([.init("keys", .array(keys))]).text
        #expect(KeySet(parsing: Array(text.utf8))?.keys.count == 64)
    }

    @Test func `A clock that is set back does not keep new keys out`() async throws {
        let issuer = FakeIssuer()
        let identity = issuer.identity()
        _ = try await identity.identify(token: TokenDraft().signed())
        issuer.set { $0.keys.append(SigningKey.p256.jwk()) }
        issuer.pass(-10_000)
        let draft = TokenDraft().with("iat", nil)
        #expect(try await identity.identify(token: draft.signed(by: .p256, .es256)).user == "alice")
    }

    @Test func `A reload while the keys are read loses nothing`() async throws {
        let issuer = FakeIssuer()
        issuer.set { $0.gate = [] }
        let first = issuer.identity()
        async let early = first.identify(token: TokenDraft().signed())
        while issuer.keyRequests == 0 { await Task.yield() }
        let second = issuer.identity(succeeding: first)
        async let late = second.identify(token: TokenDraft().with("jti", "2").signed())
        await issuer.open(after: 1)
        #expect(try await early.user == "alice")
        #expect(try await late.user == "alice")
        #expect(issuer.keyRequests == 1)
    }

    @Test func `An issuer that is down while its entry changes keeps its keys, and its callers are judged anew`() async throws {
        let issuer = FakeIssuer()
        let first = issuer.identity()
        let token = TokenDraft().signed()
        let caller = try await first.identify(token: token)
        issuer.set { $0.isDown = true }
        let second = issuer.identity(audiences: ["https://mcp.example.com", "switchboard", "another"], succeeding: first)
        #expect(second.isStillGood(caller))
        #expect(try await second.identify(token: token).user == "alice")
        #expect(!issuer.identity(audiences: ["another"], succeeding: second).isStillGood(caller))
        #expect(!issuer.identity([.es256], succeeding: second).isStillGood(caller))
        #expect(!issuer.identity(claims: ClaimNames(user: "jti"), succeeding: second).isStillGood(caller))
    }

    @Test func `Keys and verified tokens outlive a reload that leaves the issuer as it is; another verifies anew`() async throws {
        let issuer = FakeIssuer()
        let first = issuer.identity()
        let token = TokenDraft().signed()
        _ = try await first.identify(token: token)
        let second = issuer.identity(succeeding: first)
        #expect(second.remembered(token: token)?.user == "alice")
        let third = issuer.identity([.rs256], succeeding: second)
        #expect(third.remembered(token: token) == nil)
        _ = try await third.identify(token: token)
        #expect(issuer.keyRequests == 1)
    }
}
