import Auth
import Network
import Testing

@testable import Gateway

@Suite struct GuardedFetchTests {
    private static let loops = LoopGroup(count: 1, name: "fetch")

    @Test(arguments: [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.250", "255.255.255.255", "::",
        "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2001:10::1", "2002:7f00:1::",
        "2002:a9fe:a9fe::", "3fff::1", "100::1", "5f00::1",
    ])
    func `An address that does not lead to the internet is not public`(_ text: String) throws {
        let address = try #require(SocketAddress(literal: text, port: 443))
        #expect(!address.isPublic && !FetchReach.internet.includes(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255",
        "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "64:ff9b::101:101", "::ffff:1.1.1.1",
    ])
    func `An address of the internet is public`(_ text: String) throws { #expect(try #require(SocketAddress(literal: text, port: 443)).isPublic) }

    @Test(arguments: [
        "https://127.0.0.1:1/", "https://localhost:1/", "https://2130706433:1/", "https://0x7f000001:1/", "https://0x7f.1:1/",
        "https://017700000001:1/",
        "https://127.1:1/", "https://[::1]:1/", "https://[::ffff:127.0.0.1]:1/", "https://[::ffff:7f00:1]:1/", "https://[64:ff9b::7f00:1]:1/",
        "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://10.0.0.1/", "https://0/", "https://LOCALHOST:1/",
    ])
    func `What discovery found is not fetched from this machine or a private network`(_ url: String) async {
        let failure = await failure(.discovered, url)
        #expect(failure?.contains("may not be reached") == true || failure?.contains("has no address") == true, "\(failure ?? "it was fetched")")
    }

    @Test(arguments: [
        "http://login.example.com/", "http://1.1.1.1/", "http://127.0.0.1:1/", "ftp://login.example.com/", "file:///etc/passwd", "https://a b/", "",
        "https://user:password@login.example.com/", "//login.example.com/", "javascript:alert(1)", "https://login.example.com\\@127.0.0.1/",
    ])
    func `What discovery found is fetched by https only`(_ url: String) async {
        let failure = await failure(.discovered, url)
        #expect(failure?.hasSuffix("it is not https") == true || failure == "what should be an address is none", "\(failure ?? "it was fetched")")
        #expect(failure?.contains("password") != true)
    }

    @Test func `What is configured is fetched by https, or from loopback`() async {
        #expect(await failure(.configured, "http://login.example.com/")?.hasSuffix("it is not https") == true)
        #expect(await failure(.configured, "http://127.0.0.1:1/")?.contains("refused") == true)
        #expect(await failure(.configured, "https://127.0.0.1:1/")?.contains("refused") == true)
    }

    @Test func `A host that is allowed may lie in a private network`() async {
        let rules = GuardedFetch.Rules(allowedHosts: ["127.0.0.1"])
        #expect(await failure(.discovered, "https://127.0.0.1:1/", rules)?.contains("refused") == true)
        #expect(await failure(.discovered, "https://127.0.0.2:1/", rules)?.contains("may not be reached") == true)
    }

    @Test func `In development discovery may reach loopback, and nothing else that is private`() async {
        let rules = GuardedFetch.Rules(allowsLoopback: true)
        #expect(await failure(.discovered, "http://localhost:1/", rules)?.contains("cannot connect") == true)
        #expect(await failure(.discovered, "https://10.0.0.1/", rules)?.contains("may not be reached") == true)
        #expect(await failure(.discovered, "http://10.0.0.1/", rules)?.contains("not https") == true)
    }

    @Test func `Loopback is closed to discovery once others reach the gateway`() async {
        let fetch = GuardedFetch(loops: Self.loops, environment: [:])
        fetch.expose()
        #expect(await failure(.discovered, "http://localhost:1/", GuardedFetch.Rules(allowsLoopback: true), fetch)?.contains("not https") == true)
    }

    @Test(arguments: [
        ("/other", "https://a.example/other"), ("https://a.example/x?y", "https://a.example/x"), ("https://a.example:443/x", "https://a.example/x"),
        ("https://b.example/", nil), ("http://a.example/", nil), ("https://a.example:8443/", nil), ("//b.example/", nil), ("x", nil),
        ("https://u:p@a.example/", nil), ("https://a.example.evil.example/", nil), ("/a b", nil), ("", nil),
    ])
    func `A redirect is followed on the same host only`(_ place: String, _ next: String?) throws {
        #expect(try FetchTarget("https://a.example/start").redirected(to: place)?.description == next)
    }

    @Test func `Answers are read within their bounds, redirects are followed, and a POST goes nowhere else`() async throws {
        let server = HTTPServer(loops: Self.loops, limits: HTTPLimits(), handler: answer)
        let base = "http://127.0.0.1:\(try server.listen(host: "127.0.0.1", port: 0))"
        let fetch = GuardedFetch(loops: Self.loops, environment: [:]).function(.init())
        let good = try await fetch(FetchRequest(get: base + "/good?a=b", .configured))
        #expect(good.status == 200 && good.body == Array("/good?a=b".utf8))
        #expect(try await fetch(FetchRequest(get: base + "/redirect", .configured)).body == Array("/good".utf8))
        #expect(try await fetch(FetchRequest(get: base + "/missing", .configured)).status == 404)
        await #expect(throws: FetchFailure.self) { try await fetch(FetchRequest(get: base + "/loop", .configured)) }
        await #expect(throws: FetchFailure.self) { try await fetch(FetchRequest(get: base + "/away", .configured)) }
        await #expect(throws: FetchFailure.self) { try await fetch(FetchRequest(post: [1], as: "text/plain", to: base + "/redirect", .configured)) }
        var small = FetchRequest(get: base + "/large", .configured)
        small.bytesMax = 1_000
        await #expect(throws: FetchFailure.self) { try await fetch(small) }
        #expect(try await fetch(FetchRequest(get: base + "/large", .configured)).body.count == 2_000)
    }

    private func failure(
        _ source: FetchRequest.Source, _ url: String, _ rules: GuardedFetch.Rules = .init(), _ fetch: GuardedFetch? = nil
    ) async -> String? {
        do throws(FetchFailure) {
            _ = try await (fetch ?? GuardedFetch(loops: Self.loops, environment: [:])).function(rules)(FetchRequest(get: url, source))
            return nil
        } catch {
            return error.description
        }
    }
}

@Sendable private func answer(_ exchange: HTTPExchange) async {
    func redirect(_ place: String) { exchange.respond(307, contentType: nil, fields: [("Location", place)]) }
    let target = exchange.request.path + (exchange.request.query.map { "?" + $0 } ?? "")
    switch exchange.request.path {
    case "/redirect": redirect("/good")
    case "/loop": redirect("/loop")
    case "/away": redirect("http://localhost:1/")
    case "/missing": exchange.respond(404, contentType: nil)
    case "/large": exchange.respond(200, contentType: "text/plain", body: [UInt8](repeating: 65, count: 2_000))
    default: exchange.respond(200, contentType: "text/plain", body: Array(target.utf8))
    }
}
