import Synchronization
import Testing

@testable import Auth

@Suite struct IdentityTests {
    private let clock = FakeIssuer()
    private let fetch: Fetch = { (_) throws(FetchFailure) in throw FetchFailure("nothing is fetched here") }

    private func identity(_ keys: [APIKey], anonymous: Bool? = nil, certificates: Bool = false) -> Identity {
        Identity(
            IdentitySettings(anonymous: anonymous, keysFile: "/keys.yaml", keys: keys, certificates: certificates), fetch: fetch, clock: clock.clock)
    }

    private func key(_ name: String = "bot", groups: [String] = [], expires: Int? = nil) throws -> (text: String, kept: APIKey) {
        let text = try APIKeyText()
        return (text.text.reveal(), try APIKey(text, name: name, groups: groups, created: 0, expires: expires))
    }

    @Test func `A key lets its holder in, in either header`() async throws {
        let (text, kept) = try key(groups: ["engineers"])
        let identity = identity([kept])
        for presented in [
            Presented(authorization: "Bearer \(text)"), Presented(authorization: "bearer  \(text)"), Presented(apiKey: text),
        ] {
            let caller = try await identity.identify(presented)
            #expect(caller.description == "client:bot" && caller.groups == ["engineers"] && caller.proof == .key(id: kept.id))
            #expect(identity.remembered(presented) == caller && identity.isStillGood(caller))
        }
    }

    @Test func `Several keys of a name are good at once, and are one caller`() async throws {
        let (a, b) = (try key(), try key())
        let identity = identity([a.kept, b.kept])
        let callers = [try await identity.identify(Presented(apiKey: a.text)), try await identity.identify(Presented(apiKey: b.text))]
        #expect(callers[0].identity == callers[1].identity)
    }

    @Test func `A revoked key ends at once, and so does what was opened with it`() async throws {
        let (a, b) = (try key("a"), try key("b"))
        let identity = identity([a.kept, b.kept])
        let callers = [try await identity.identify(Presented(apiKey: a.text)), try await identity.identify(Presented(apiKey: b.text))]
        identity.use([b.kept])
        #expect(callers.map(identity.isStillGood) == [false, true])
        #expect(identity.remembered(Presented(apiKey: a.text)) == nil)
        await #expect(throws: IdentityRefusal.invalid("an unknown or revoked API key, id \(a.kept.id)")) {
            try await identity.identify(Presented(apiKey: a.text))
        }
    }

    @Test func `A key whose groups change ends what was opened with it`() async throws {
        var (text, kept) = try key(groups: ["admins"])
        let identity = identity([kept])
        let caller = try await identity.identify(Presented(apiKey: text))
        kept.groups = []
        identity.use([kept])
        #expect(!identity.isStillGood(caller))
        text = ""
    }

    @Test func `A key is good until it expires`() async throws {
        let (text, kept) = try key(expires: TokenDraft.now + 10)
        let identity = identity([kept])
        let caller = try await identity.identify(Presented(apiKey: text))
        clock.pass(9)
        #expect(identity.isStillGood(caller))
        clock.pass(1)
        #expect(!identity.isStillGood(caller) && identity.remembered(Presented(apiKey: text)) == nil)
    }

    @Test func `A key with any character changed, or cut off, is refused`() async throws {
        let (text, kept) = try key()
        let identity = identity([kept])
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            for other in "0Az_-. \n".utf8 where other != bytes[index] {
                var changed = bytes
                changed[index] = other
                #expect(identity.remembered(Presented(apiKey: String(decoding: changed, as: UTF8.self))) == nil)
            }
            #expect(identity.remembered(Presented(apiKey: String(decoding: bytes[..<index], as: UTF8.self))) == nil)
        }
        #expect(identity.remembered(Presented(apiKey: text + "0")) == nil)
    }

    @Test func `The right id with another key's secret is refused`() throws {
        let (a, b) = (try key(), try key())
        var other = b.kept
        other.id = a.kept.id
        #expect(identity([other]).remembered(Presented(apiKey: a.text)) == nil)
        var short = a.kept
        short.hash = []
        #expect(identity([short]).remembered(Presented(apiKey: a.text)) == nil)
    }

    @Test func `Keys look as scanners know them, and no two are alike`() throws {
        let keys = try (0..<100).map { _ in try APIKeyText() }
        #expect(Set(keys.map(\.id)).count == 100)
        for key in keys { #expect(try #/sb_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}/#.wholeMatch(in: key.text.reveal()) != nil) }
        #expect("\(keys[0])".contains("secret") && !"\(keys[0])".contains(keys[0].text.reveal()))
    }

    @Test(arguments: [
        (Presented(), IdentityRefusal.missing), (Presented(authorization: "Basic YTpi"), .invalid("an Authorization that is not Bearer")),
        (Presented(authorization: "Bearer"), .invalid("an Authorization that is not Bearer")),
        (Presented(authorization: "Bearer "), .invalid("an Authorization that is not Bearer")),
        (Presented(authorization: ""), .invalid("an Authorization that is not Bearer")),
        (Presented(authorization: "Bearer x", apiKey: "x"), .invalid("both Authorization and X-API-Key")),
        (Presented(apiKey: ""), .invalid("an API key that is mistyped or cut off")),
        (Presented(authorization: "Bearer a.b.c"), .invalid("something that is no API key, and no issuer of tokens is configured")),
    ])
    func `What proves nothing is refused`(_ presented: Presented, _ refusal: IdentityRefusal) async {
        await #expect(throws: refusal) { try await identity([]).identify(presented) }
    }

    @Test func `Who presents something wrong is not let in as anonymous`() async throws {
        let identity = identity([], anonymous: true)
        #expect(identity.remembered(Presented()) == .anonymous)
        await #expect(throws: IdentityRefusal.self) { try await identity.identify(Presented(authorization: "Bearer x.y.z")) }
        await #expect(throws: IdentityRefusal.self) { try await identity.identify(Presented(apiKey: "sb_x")) }
    }

    @Test func `Without any identity everybody is anonymous, whatever they send`() async throws {
        let identity = Identity(IdentitySettings(), fetch: fetch)
        for presented in [Presented(), Presented(authorization: "Bearer x"), Presented(authorization: "x", apiKey: "y")] {
            #expect(try await identity.identify(presented) == .anonymous)
        }
        #expect(identity.isStillGood(.anonymous))
    }

    @Test func `A stream of an anonymous caller ends when anonymous callers are no longer let in`() {
        #expect(!identity([]).isStillGood(.anonymous) && identity([], anonymous: true).isStillGood(.anonymous))
    }

    @Test(
        arguments: [
            (["spiffe://a/bot", "https://b"], "cn", "client:spiffe://a/bot"), ([], "cn", "client:cn"), ([], nil, nil), ([], "a\nb", nil),
            ([""], "cn", nil),
        ] as [([String], String?, String?)])
    func `A certificate names its holder by URI, else by common name`(_ uris: [String], _ name: String?, _ caller: String?) {
        let presented = Presented(certificate: PresentedCertificate(uriNames: uris, commonName: name, fingerprint: "ab", expires: .max))
        #expect(identity([], certificates: true).remembered(presented)?.description == caller)
        #expect(identity([]).remembered(presented) == nil)
    }

    @Test(
        arguments: [
            ("user:alice", "user:alice", []), ("client:bot,group:a,group:b", "client:bot", ["a", "b"]), ("group:a,user:x:y", "user:x:y", ["a"]),
            ("user:a,client:b", "user:a,client:b", []), ("user:cn=a\\,ou=b,group:c", "user:cn=a\\,ou=b", ["c"]),
        ] as [(String, String, Set<GroupName>)])
    func `WHO names a caller`(_ who: String, _ caller: String, _ groups: Set<GroupName>) throws {
        let found = try Caller.assumed(parsing: who)
        #expect(found.description == caller && found.groups == groups && found.proof == .assumed)
    }

    @Test(arguments: [
        "", "alice", "user:", "group:a", "user:a,user:b", "role:x", ",", "user:a\n", "user:a,group:", "user:a,groups:x", "user:a, group:b",
        "user:a,b",
    ])
    func `What names nobody is no WHO`(_ who: String) { #expect(throws: RuleError.self) { try Caller.assumed(parsing: who) } }

    @Test func `A name with a comma does not read as two`() throws {
        #expect(Caller(.none, user: "a,client:admin").description == "user:a\\,client:admin")
        #expect(Caller(.none, user: "a\\", client: "x").description != Caller(.none, user: "a,client:x").description)
        #expect(Caller(.none, user: "a\u{202E}b").description == "user:a\\u{202E}b")
    }

    @Test func `Remembered tokens are bounded, the expired ones going first`() {
        let memory = TokenMemory(countMax: 8)
        let term = TokenIssuer.Term()
        func remember(_ text: String, until expires: Int, now: Int) {
            memory.remember(.anonymous, of: SHA256Digest(of: text), term: term, until: expires, now: now)
        }
        for number in 0..<6 { remember("old\(number)", until: 10, now: 0) }
        for number in 0..<2 { remember("new\(number)", until: 1_000, now: 0) }
        remember("last", until: 1_000, now: 20)
        #expect(memory.count == 3 && memory.caller(of: SHA256Digest(of: "new0")) != nil)
        for number in 0..<100 {
            remember("more\(number)", until: 1_000, now: 20)
            #expect(memory.count <= 8 && memory.caller(of: SHA256Digest(of: "more\(number)")) != nil)
        }
    }
}
