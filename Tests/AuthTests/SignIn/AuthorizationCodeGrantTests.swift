import Testing

@testable import Auth

@Suite struct AuthorizationCodeGrantTests {
    private static let upstream = "https://up.example/mcp"
    private let folder: Folder
    private let world = TestServices(environment: ["S": "s3cret"])
    private let services: CredentialServices

    init() throws {
        folder = try Folder()
        var services = world.services
        services.store = TokenStore(path: folder.path + "/tokens.db", keys: KeyRing(.file(folder.path + "/tokens.keys")))
        self.services = services
    }

    private func source(_ definition: SignInDefinition = SignInDefinition()) -> CredentialSource {
        CredentialSource(.authorizationCode(definition), upstream: "up", address: Self.upstream, services: services)
    }

    private func signIn(_ access: String, refresh: String? = nil, life: Int? = 3_600) async throws {
        let now = world.clock.date
        let token = SignInToken(
            accessToken: Secret(access), refreshToken: refresh.map(Secret.init), issued: now, expires: life.map { now + $0 }, scopes: [],
            askedScopes: [], address: Self.upstream, issuer: "https://old.example", tokenEndpoint: "https://old.example/t", clientID: "gw")
        try await services.store?.save(token, of: user("alice").identity, "up")
    }

    private func isSignedIn() async throws -> Bool { try await services.store?.signInToken(of: user("alice").identity, "up") != nil }

    /// The upstream names `issuer`; the old server's token endpoint answers so.
    private func answer(issuer: String = "https://old.example", _ status: Int = 503, _ body: String = "") {
        world.answers { request, _ throws(FetchFailure) in
            if request.url == "https://old.example/t" { return (status, body) }
            guard request.url == "https://up.example/.well-known/oauth-protected-resource/mcp" else { return (404, "") }
            return (200, #"{"resource":"https://up.example/mcp","authorization_servers":["\#(issuer)"]}"#)
        }
    }

    @Test func `A refused token that nothing can renew counts as taken back`() async throws {
        try await signIn("one")
        let source = source()
        let lines = try await source.lines(for: user("alice"))
        await #expect(throws: CredentialFailure.signInNeeded(upstream: "up")) { try await source.refused(lines, for: user("alice")) }
        #expect(try await !isSignedIn())
        await #expect(throws: CredentialFailure.signInNeeded(upstream: "up")) { try await source.lines(for: user("alice")) }
        #expect(world.requests.isEmpty)
    }

    @Test func `A refused token is renewed, and counts as taken back where the fresh one is refused as well`() async throws {
        try await signIn("one", refresh: "r")
        answer(200, #"{"access_token":"two","token_type":"Bearer","expires_in":100}"#)
        let source = source()
        let lines = try await source.lines(for: user("alice"))
        let fresh = try #require(try await source.refused(lines, for: user("alice")))
        #expect(fresh != lines)
        try await source.refusedAgain(lines, for: user("alice"))
        #expect(try await isSignedIn())
        await #expect(throws: CredentialFailure.signInNeeded(upstream: "up")) { try await source.refusedAgain(fresh, for: user("alice")) }
        #expect(try await !isSignedIn())
        await #expect(throws: CredentialFailure.signInNeeded(upstream: "up")) { try await source.lines(for: user("alice")) }
    }

    @Test func `A token that has come since is used in the place of the refused one`() async throws {
        try await signIn("one")
        let source = source()
        let lines = try await source.lines(for: user("alice"))
        try await signIn("two")
        let fresh = try #require(try await source.refused(lines, for: user("alice")))
        #expect(String(decoding: fresh, as: UTF8.self) == "Authorization: Bearer two\r\n")
        #expect(try await isSignedIn())
    }

    @Test(arguments: [(true, "https://new.example", false), (true, "https://old.example", true), (false, "https://new.example", false)])
    func `A server that renews nothing keeps its users only where the upstream still names it`(
        isRefused: Bool, issuer: String, stays: Bool
    ) async throws {
        try await signIn("one", refresh: "r", life: isRefused ? 3_600 : 20)
        answer(issuer: issuer)
        let source = source()
        let lines = try await source.lines(for: user("alice"))
        if isRefused {
            _ = try? await source.refused(lines, for: user("alice"))
        } else {
            world.clock.advance(.seconds(30))
            _ = try? await source.lines(for: user("alice"))
        }
        #expect(try await isSignedIn() == stays)
    }

    @Test func `What another issuer gave is not used once the configuration names one`() async throws {
        try await signIn("one")
        await #expect(throws: CredentialFailure.signInNeeded(upstream: "up")) {
            try await source(SignInDefinition(server: .issuer("https://new.example"))).lines(for: user("alice"))
        }
        #expect(try await source(SignInDefinition(server: .issuer("https://old.example"))).bearer(for: user("alice")) == "one")
    }

    @Test func `After a token was lost, it is found out anew where people sign in, and no older link is given out`() async throws {
        try await signIn("one")
        let desk = try SignInDesk(services: services)
        desk.site = SignInSite(base: "https://gw.example")
        world.answers { request, _ throws(FetchFailure) in
            switch request.url {
            case "https://up.example/.well-known/oauth-protected-resource/mcp":
                (200, #"{"resource":"https://up.example/mcp","authorization_servers":["https://old.example"]}"#)
            case "https://old.example/.well-known/oauth-authorization-server":
                (
                    200,
                    #"{"issuer":"https://old.example","authorization_endpoint":"https://old.example/a","token_endpoint":"https://old.example/t","#
                        + #""code_challenge_methods_supported":["S256"]}"#
                )
            default: (404, "")
            }
        }
        let demand = SignInDemand(upstream: "up", address: Self.upstream, definition: SignInDefinition())
        let first = try await desk.link(for: demand, user("alice"))
        #expect(try await desk.link(for: demand, user("alice")) == first)
        let asked = world.requests.count
        world.clock.advance(.seconds(1))
        let source = source()
        _ = try? await source.refused(try await source.lines(for: user("alice")), for: user("alice"))
        #expect(try await desk.link(for: demand, user("alice")) != first)
        #expect(world.requests.count == 2 * asked)
    }
}
