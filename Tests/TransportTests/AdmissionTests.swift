import JSON
import MCPProtocol
import Testing

@testable import Auth
@testable import Network
@testable import Transport

@Suite("Who is let in by HTTP")
struct AdmissionTests {
    private static let issuer = IssuerSettings(issuer: "https://login.example.com/acme", audiences: ["x"], scopes: ["mcp:use", "mcp:more"])

    static let addresses: [(HTTPMethod, String)] = [
        (.post, "/team/mcp"), (.get, "/team/mcp"), (.delete, "/team/mcp"), (.put, "/team/mcp"), (.post, "/mcp"), (.get, "/team/sse"),
        (.get, "/sse"), (.post, "/team/messages?session_id=x"),
    ]

    @Test("nothing of a virtual server answers a caller who says nothing", arguments: addresses)
    func missing(method: HTTPMethod, path: String) async throws {
        try await Door.open(TestKey.settings(try TestKey("bot"))) { door async throws in
            let response = try await door.send(method, path, body: method == .post ? "{}" : "")
            #expect(response.status == 401)
            #expect(response.headers["www-authenticate"] == #"Bearer realm="switchboard""#)
            door.service.calls.close()
            #expect(await door.service.calls.next() == nil)
        }
    }

    @Test("a wrong key is told from none, and not why")
    func wrong() async throws {
        let (key, other) = (try TestKey("bot"), try TestKey("gone"))
        try await Door.open(TestKey.settings(key)) { door async throws in
            for value in ["Bearer \(other.text)", "Bearer x", "Bearer ", "Basic eDp5", key.text, "Bearer \(key.text) x"] {
                let response = try await door.ask("ping", [("Authorization", value)])
                #expect(response.status == 401, "\(value)")
                #expect(response.headers["www-authenticate"] == #"Bearer error="invalid_token""#)
                #expect(try await response.text() == "the key, token or certificate is not accepted\n")
            }
        }
    }

    @Test("a key lets in by either header, and only one proof may stand there")
    func headers() async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key)) { door async throws in
            for field in [key.bearer, ("X-API-Key", key.text), ("authorization", "bearer \(key.text)")] {
                #expect(try await door.ask("ping", [field]).status == 200)
            }
            for fields in [[key.bearer, key.bearer], [key.bearer, ("X-API-Key", key.text)], [("X-API-Key", key.text), ("X-API-Key", key.text)]] {
                #expect(try await door.ask("ping", fields).status == 400)
            }
        }
    }

    @Test("an unknown virtual server is not found, whoever asks", arguments: ["/other/mcp", "/other/sse", "/other/messages"])
    func unknown(path: String) async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key)) { door async throws in
            for fields in [[], [key.bearer], [("Authorization", "Bearer nonsense")]] {
                #expect(try await door.ask("ping", path: path, fields).status == 404)
            }
        }
    }

    @Test("a call carries who made it", arguments: [false, true])
    func caller(isModern: Bool) async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key)) { door async throws in
            _ = try await isModern ? door.askModern("tools/list", [key.bearer]) : door.ask("tools/list", [key.bearer])
            #expect(await door.service.calls.next()?.caller.description == "client:bot")
        }
    }

    @Test("the challenge names the metadata of the address that was asked, and the scopes that are wanted")
    func challenge() async throws {
        try await Door.open(TestKey.settings(issuers: [Self.issuer])) { door async throws in
            for (path, place) in [("/team/mcp", "/team/mcp"), ("/mcp", "/mcp"), ("/team/sse", "/team/sse"), ("/team/messages", "/team/sse")] {
                let response = try await door.ask("ping", path: path)
                let url = "http://127.0.0.1:\(door.port)/.well-known/oauth-protected-resource\(place)"
                #expect(response.headers["www-authenticate"] == #"Bearer scope="mcp:use mcp:more", resource_metadata="\#(url)""#)
            }
        }
    }

    @Test("behind a proxy the challenge names the public address")
    func publicChallenge() async throws {
        let settings = TestKey.settings(issuers: [IssuerSettings(issuer: "https://a.example", audiences: [])])
        try await Door.open(settings, publicURL: "https://mcp.example.com/tools") { door async throws in
            let response = try await door.ask("ping")
            let url = "https://mcp.example.com/tools/.well-known/oauth-protected-resource/team/mcp"
            #expect(response.headers["www-authenticate"] == #"Bearer resource_metadata="\#(url)""#)
        }
    }

    @Test("a token without a wanted scope is not enough, and the challenge says which; keys have no scopes")
    func scopes() throws {
        let settings = IdentitySettings(issuers: [Self.issuer, IssuerSettings(issuer: "https://b.example", audiences: [], scopes: ["b"])])
        func caller(_ scopes: Set<String>, issuer: String = "https://login.example.com/acme") -> Caller {
            Caller(.token(issuer: issuer), user: "alice", scopes: scopes)
        }
        #expect(settings.suffices(caller(["mcp:use", "mcp:more", "x"])))
        #expect(!settings.suffices(caller(["mcp:use"])))
        #expect(!settings.suffices(caller(["mcp:use mcp:more"])))
        #expect(settings.suffices(caller(["b"], issuer: "https://b.example")))
        #expect(settings.suffices(Caller(.key(id: "k"), client: "bot")))
        #expect(settings.allScopes == ["mcp:use", "mcp:more", "b"])
    }

    @Test("a page may read the refusal, and is told what it may send")
    func cors() async throws {
        try await Door.open(TestKey.settings(try TestKey("bot"))) { door async throws in
            let origin = ("Origin", "http://localhost:3000")
            let refusal = try await door.ask("ping", [origin])
            #expect(refusal.status == 401 && refusal.headers["access-control-allow-origin"] == origin.1)
            #expect(refusal.headers["access-control-expose-headers"]?.contains("WWW-Authenticate") == true)
            let asked = [origin, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,x-api-key")]
            let preflight = try await door.send(.options, "/team/mcp", asked)
            #expect(preflight.status == 204 && preflight.headers["access-control-allow-headers"] == "authorization,x-api-key")
        }
    }

    @Test("probes need no key; strangers learn no more than that it is ready")
    func probes() async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key), publicURL: "https://mcp.example.com") { door async throws in
            #expect(try await door.send(.get, "/healthz").status == 200)
            for (fields, count) in [([], 2), ([("Authorization", "Bearer x")], 2), ([key.bearer], 3)] {
                let response = try await door.send(.get, "/readyz", fields)
                #expect(response.status == 200)
                #expect(try JSONValue(parsing: try await response.body(within: .seconds(5))).members?.count == count)
            }
        }
    }
}
