import Synchronization
import Testing

@testable import Auth

@Suite struct SignInDeskTests {
    private let demand = SignInDemand(upstream: "up", address: "https://up.example/mcp", definition: SignInDefinition())
    private let documents = [
        "https://up.example/.well-known/oauth-protected-resource/mcp":
            #"{"resource":"https://up.example/mcp","authorization_servers":["https://auth.example"]}"#,
        "https://auth.example/.well-known/oauth-authorization-server":
            #"{"issuer":"https://auth.example","authorization_endpoint":"https://auth.example/a","token_endpoint":"https://auth.example/t","#
            + #""code_challenge_methods_supported":["S256"]}"#,
    ]

    private func desk(_ services: TestServices, limits: SignInLimits = SignInLimits()) throws -> SignInDesk {
        let desk = try SignInDesk(services: services.services, limits: limits)
        desk.site = SignInSite(base: "https://gw.example")
        return desk
    }

    private func answering(_ services: TestServices) {
        services.answers { [documents] request, _ in documents[request.url].map { (200, $0) } ?? (404, "") }
    }

    @Test func `Where people sign in is found out once, however many ask`() async throws {
        let services = TestServices()
        answering(services)
        let desk = try desk(services)
        let links = try await withThrowingTaskGroup(of: SignInLink.self) { group in
            for number in 0..<50 { group.addTask { try await desk.link(for: demand, user("u\(number)")) } }
            return try await group.reduce(into: Set<SignInLink>()) { $0.insert($1) }
        }
        #expect(links.count == 50)
        #expect(services.requests.count { $0.request.url.hasSuffix("/oauth-authorization-server") } == 1)
    }

    @Test func `What failed is not tried again at once`() async throws {
        let services = TestServices()
        let desk = try desk(services)
        for _ in 0..<20 { await #expect(throws: SignInFailure.self) { try await desk.link(for: demand, user("a")) } }
        let asked = services.requests.count
        answering(services)
        await #expect(throws: SignInFailure.self) { try await desk.link(for: demand, user("a")) }
        #expect(services.requests.count == asked)
        services.clock.advance(.seconds(6))
        _ = try await desk.link(for: demand, user("a"))
    }

    @Test func `A user takes no more places with many clients than with one`() async throws {
        var limits = SignInLimits()
        limits.pendingMax = 20
        let services = TestServices()
        answering(services)
        let desk = try desk(services, limits: limits)
        for number in 0..<100 {
            _ = try await desk.link(for: demand, Caller(.token(issuer: "i"), user: "mallory", client: "c\(number)"))
        }
        _ = try await desk.link(for: demand, user("alice"))
    }

    @Test func `A link is worth nothing once its caller is not let in any more`() async throws {
        let services = TestServices()
        answering(services)
        let desk = try desk(services)
        let isIn = Mutex(true)
        desk.recognise { _ in isIn.withLock { $0 } }
        let path = try await String(desk.link(for: demand, user("a")).url.dropFirst("https://gw.example/oauth/".count))
        #expect(await desk.answer(SignInRequest(method: "GET", path: path, cookies: [])).status == 200)
        isIn.withLock { $0 = false }
        #expect(await desk.answer(SignInRequest(method: "GET", path: path, cookies: [])).status == 410)
    }

    @Test func `A sign-in whose browser has come back is not over before it is known what came of it`() async throws {
        let services = TestServices()
        answering(services)
        let desk = try desk(services)
        let link = try await desk.link(for: demand, user("a"))
        let pending = try #require(desk.pending(secret: String(link.url.split(separator: "/").last ?? "")))
        let told = Mutex(0)
        #expect(desk.take(pending))
        #expect(!desk.take(pending))
        desk.whenOver(link.id) { told.withLock { $0 += 1 } }
        #expect(told.withLock { $0 } == 0)
        #expect(!desk.isIdle)
        desk.end(pending)
        #expect(told.withLock { $0 } == 1)
        desk.whenOver(link.id) { told.withLock { $0 += 1 } }
        #expect(told.withLock { $0 } == 2)
        #expect(desk.isIdle)
    }
}
