import Testing

@testable import Network
@testable import Transport

@Suite("Who may reach the gateway by HTTP")
struct HTTPFrontSettingsTests {
    private var settings: HTTPFrontSettings {
        HTTPFrontSettings(hosts: ["mcp.example.com"], origins: ["https://app.example.com", "http://app.example.com:3000"])
    }

    static let hosts: [(String, Bool)] = [
        ("localhost", true), ("localhost:8080", true), ("LOCALHOST:8080", true), ("localhost:", true), ("127.0.0.1", true), ("127.0.0.1:80", true),
        ("127.8.9.10:1", true), ("[::1]", true), ("[::1]:8080", true), ("mcp.example.com", true), ("MCP.Example.COM:443", true),
        ("127.0.0.1.evil.com", false), ("127.evil.com", false), ("localhost.evil.com", false), ("evil.com", false), ("evil.com:8080", false),
        ("localhost.", false), ("localhost:80:80", false), ("localhost:8a", false), ("localhost:123456", false), ("localhost:-1", false),
        ("127.0.0", false), ("127.1", false), ("127.0.0.256", false), ("127.0.0.", false), ("2130706433", false), ("0.0.0.0", false),
        ("[::1", false), ("[::1]evil.com", false), ("[::1].evil.com:80", false), ("[::2]", false), ("[::ffff:127.0.0.1]", false), ("::1", false),
        ("[localhost.evil.com]", false), (":80", false), ("x.mcp.example.com", false), ("mcp.example.com.evil.com", false),
    ]

    @Test("only loopback and our own names are served: a name that is made to resolve to us is not", arguments: hosts)
    func serves(host: String, isServed: Bool) throws {
        #expect((settings.refusal(of: try request([("Host", host)])) == nil) == isServed)
    }

    static let names: [(String, String?)] = [
        ("localhost:80@evil", nil), ("user@localhost", "user@localhost"), ("localhost:½", nil), ("", nil), ("[", nil), ("[]", ""), ("]", "]"),
        ("localhost:١", nil), ("127.0.0.+1", "127.0.0.+1"), ("a:b:c", nil), ("[::1]:x", nil), ("[::1]x", nil),
    ]

    @Test("what is no host has no name, or one that is not loopback", arguments: names)
    func reads(host: String, name: String?) {
        #expect(HTTPFrontSettings.hostName(host) == name)
        #expect(name.map(HTTPFrontSettings.isLoopback) != true)
    }

    static let origins: [(String, Bool)] = [
        ("http://localhost", true), ("http://localhost:3000", true), ("HTTP://LocalHost:3000", true), ("https://127.0.0.1:1", true),
        ("http://[::1]:3000", true), ("https://app.example.com", true), ("https://APP.example.com", true), ("http://app.example.com:3000", true),
        ("http://app.example.com", false), ("https://app.example.com:444", false), ("https://app.example.com.evil.com", false),
        ("https://evil.com", false), ("http://127.0.0.1.evil.com", false), ("http://localhost.evil.com", false),
        ("http://localhost:80@evil.com", false),
        ("http://localhost@evil.com", false), ("http://evil.com#localhost", false), ("http://evil.com/localhost", false),
        ("http://localhost/", false),
        ("null", false), ("file://", false), ("file://localhost", false), ("chrome-extension://localhost", false), ("localhost", false),
        ("http://", false), ("http://[::1", false), ("http:/localhost", false), ("https://localhost, https://evil.com", false),
    ]

    @Test("a page of another origin is refused", arguments: origins)
    func answers(origin: String, isServed: Bool) throws {
        #expect((settings.refusal(of: try request([("Host", "localhost"), ("Origin", origin)])) == nil) == isServed)
    }

    @Test("two origins are refused, also when each would do")
    func twoOrigins() throws {
        let request = try request([("Host", "localhost"), ("Origin", "http://localhost"), ("Origin", "http://localhost")])
        #expect(settings.refusal(of: request) != nil)
    }

    @Test(
        "where every address is listened on, any address may be called, but no name",
        arguments: [("10.1.2.3:8080", true), ("[fd00::1]", true), ("192.168.1.9", true), ("evil.com", false), ("0.0.0.0", false), ("[::]", false)])
    func addresses(host: String, isServed: Bool) throws {
        var settings = settings
        #expect(settings.refusal(of: try request([("Host", host)])) != nil)
        settings.servesAddresses = true
        #expect((settings.refusal(of: try request([("Host", host)])) == nil) == isServed)
    }

    @Test("a permitted page may read the answer, and is told what it may send")
    func cors() throws {
        #expect(settings.corsFields(for: try request([("Host", "localhost")])).isEmpty)
        let fields = settings.corsFields(
            for: try request(
                [("Host", "localhost"), ("Origin", "http://localhost:3000"), ("Access-Control-Request-Headers", "mcp-name")], method: .options))
        #expect(fields.contains { $0 == ("Access-Control-Allow-Origin", "http://localhost:3000") })
        #expect(fields.contains { $0 == ("Vary", "Origin") })
        #expect(fields.contains { $0 == ("Access-Control-Allow-Headers", "mcp-name") })
        #expect(!fields.contains { $0.1 == "*" || $0.0 == "Access-Control-Allow-Credentials" })
    }

    private func request(_ fields: [(String, String)], method: HTTPMethod = .post) throws -> HTTPRequest {
        HTTPRequest(
            method: method, path: "/mcp", query: nil, headers: try headers(fields), body: [],
            peer: PeerAddress(SocketAddress(octets: [127, 0, 0, 1], port: 1)),
            isTLS: false, clientCertificate: nil)
    }
}
