import Synchronization
import Testing

@testable import Auth

/// Documents by their address, and who was asked.
private final class Web: Sendable {
    private let documents: [String: FetchResponse]
    let asked = Mutex<[(url: String, isConfigured: Bool)]>([])

    init(_ documents: [String: String], challenge: String? = nil) {
        var all = documents.mapValues { FetchResponse(status: 200, fields: [], body: Array($0.utf8)) }
        if let challenge { all["https://up.example/mcp"] = FetchResponse(status: 401, fields: [("www-authenticate", challenge)], body: []) }
        self.documents = all
    }

    func plan(_ definition: SignInDefinition = SignInDefinition()) async throws -> SignInPlan {
        try await SignInDiscovery(
            definition: definition, address: "https://up.example/mcp",
            fetch: { [self] request throws(FetchFailure) in
                let isConfigured = if case .configured = request.source { true } else { false }
                asked.withLock { $0.append((request.url, isConfigured)) }
                return documents[request.url] ?? FetchResponse(status: 404, fields: [], body: [])
            }
        ).plan()
    }

    func isConfigured(_ url: String) -> Bool? { asked.withLock { $0.first { $0.url == url }?.isConfigured } }
}

private func metadata(_ issuer: String, _ more: String = "") -> String {
    #"{"issuer":"\#(issuer)","authorization_endpoint":"\#(issuer)/authorize","token_endpoint":"\#(issuer)/token","#
        + #""code_challenge_methods_supported":["S256"]\#(more)}"#
}

private func resource(_ name: String = "https://up.example/mcp", server: String = "https://auth.example", _ more: String = "") -> String {
    #"{"resource":"\#(name)","authorization_servers":["\#(server)"]\#(more)}"#
}

@Suite struct SignInDiscoveryTests {
    private let wellKnown = "https://up.example/.well-known/oauth-protected-resource"
    private let server = "https://auth.example/.well-known/oauth-authorization-server"

    @Test func `The challenge leads to the metadata, and that to the server`() async throws {
        let web = Web(
            ["https://up.example/meta": resource(), server: metadata("https://auth.example")],
            challenge: #"Bearer resource_metadata="https://up.example/meta", scope="a b""#)
        let plan = try await web.plan()
        #expect(plan.server.authorizationEndpoint == "https://auth.example/authorize" && plan.resource == "https://up.example/mcp")
        #expect(plan.scopes == ["a", "b"])
        #expect(web.isConfigured("https://up.example/meta") == true && web.isConfigured(server) == false)
        if case .configured = plan.source(of: "https://auth.example/token") { Issue.record("what an upstream names is not configured") }
    }

    @Test func `Without a challenge the well-known places are tried, the longer first`() async throws {
        let web = Web([wellKnown: resource("https://up.example", #","scopes_supported":["x"]"#), server: metadata("https://auth.example")])
        #expect(try await web.plan().scopes == ["x"])
        let asked = web.asked.withLock { $0.map(\.url) }
        #expect(asked.firstIndex(of: wellKnown + "/mcp") ?? .max < asked.firstIndex(of: wellKnown) ?? 0)
    }

    @Test(arguments: ["https://other.example/mcp", "https://up.example/mcp2", "https://up.example/mcp/deeper", "http://up.example/mcp"])
    func `Metadata of another resource is refused`(name: String) async {
        let web = Web([wellKnown + "/mcp": resource(name), server: metadata("https://auth.example")])
        await #expect(throws: FetchFailure.self) { try await web.plan() }
    }

    @Test func `A server that sends people elsewhere must name itself in its answers, unless the operator wrote it down`() async throws {
        let elsewhere = metadata("https://auth.example").replacing("https://auth.example/authorize", with: "https://honest.example/authorize")
        let naming = elsewhere.dropLast() + #","authorization_response_iss_parameter_supported":true}"#
        let documents = { (server: String) in [self.wellKnown + "/mcp": resource(), self.server: server] }
        await #expect(throws: FetchFailure.self) { try await Web(documents(elsewhere)).plan() }
        #expect(try await Web(documents(String(naming))).plan().server.host == "https://honest.example")
        let written = SignInDefinition(server: .issuer("https://auth.example"))
        #expect(try await Web(documents(elsewhere)).plan(written).server.host == "https://honest.example")
    }

    @Test(arguments: ["http://auth.example", "https://auth.example?x", "ftp://auth.example", "https://user@auth.example", ""])
    func `A server at an unfit address is not asked`(issuer: String) async {
        let web = Web([wellKnown + "/mcp": resource(server: issuer)])
        await #expect(throws: FetchFailure.self) { try await web.plan() }
        #expect(web.asked.withLock { $0.allSatisfy { $0.url.hasPrefix("https://up.example/") } })
    }

    @Test func `Without any metadata the default addresses at the upstream's origin count`() async throws {
        let plan = try await Web([:]).plan()
        #expect(plan.server.authorizationEndpoint == "https://up.example/authorize" && plan.server.tokenEndpoint == "https://up.example/token")
        #expect(plan.server.registrationEndpoint == "https://up.example/register" && plan.server.issuer == nil)
        let broken = "https://up.example/.well-known/oauth-authorization-server"
        for documents in [
            [wellKnown: resource("https://up.example")], [wellKnown: resource("https://up.example", server: "https://up.example")], [broken: "{}"],
        ] {
            await #expect(throws: FetchFailure.self) { try await Web(documents).plan() }
        }
        await #expect(throws: FetchFailure.self) { try await Web([:]).plan(SignInDefinition(server: .issuer("https://up.example"))) }
    }

    @Test func `A configured issuer is asked whatever the upstream names`() async throws {
        let web = Web([
            wellKnown + "/mcp": resource(server: "https://evil.example"), server: metadata("https://auth.example"),
        ])
        let plan = try await web.plan(SignInDefinition(server: .issuer("https://auth.example")))
        #expect(plan.server.issuer == "https://auth.example" && web.isConfigured(server) == true)
    }

    @Test func `Other forms of metadata are found, and the issuer must be the one that was asked`() async throws {
        let path = "https://auth.example/.well-known/openid-configuration/realm"
        let found = Web([wellKnown + "/mcp": resource(server: "https://auth.example/realm"), path: metadata("https://auth.example/realm")])
        #expect(try await found.plan().server.tokenEndpoint == "https://auth.example/realm/token")
        let other = Web([wellKnown + "/mcp": resource(server: "https://auth.example/realm"), path: metadata("https://auth.example")])
        await #expect(throws: FetchFailure.self) { try await other.plan() }
    }

    @Test func `Configured scopes and resource come first, and providers are known`() async throws {
        let web = Web([wellKnown + "/mcp": resource(), server: metadata("https://auth.example", #","scopes_supported":["offline_access"]"#)])
        #expect(try await web.plan().scopes == ["offline_access"])
        let plan = try await web.plan(SignInDefinition(scopes: ["mine"], resource: .named("https://api.example")))
        #expect(plan.scopes == ["mine"] && plan.resource == "https://api.example")
        for provider in SignInProvider.allCases {
            let plan = try await Web([:]).plan(SignInDefinition(server: .provider(provider), scopes: ["x"]))
            #expect(HTTPAddress(plan.server.authorizationEndpoint)?.isTLS == true && plan.resource == nil)
        }
    }
}
