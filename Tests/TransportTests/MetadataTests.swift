import Auth
import JSON
import Testing

@testable import Network
@testable import Transport

@Suite("Protected resource metadata")
struct MetadataTests {
    private static let prefix = "/.well-known/oauth-protected-resource"
    private static let issuers = [IssuerSettings(issuer: "https://login.example.com/acme", audiences: ["x"], scopes: ["mcp:use"])]

    @Test(
        "the resource is the address that the client was given",
        arguments: [("/team/mcp", "Team"), ("/mcp", "Team"), ("/team/sse", "Team"), ("", "switchboard"), ("/", "switchboard")])
    func resource(path: String, name: String) async throws {
        try await Door.open(IdentitySettings(issuers: Self.issuers)) { door async throws in
            let response = try await door.send(.get, Self.prefix + path, [("Origin", "https://anywhere.example")])
            #expect(response.status == 200 && response.headers["access-control-allow-origin"] == "*")
            let metadata = try JSONValue(parsing: try await response.body(within: .seconds(5)))
            #expect(
                metadata == [
                    "resource": .string("http://127.0.0.1:\(door.port)" + (path == "/" ? "" : path)),
                    "authorization_servers": ["https://login.example.com/acme"], "bearer_methods_supported": ["header"],
                    "resource_name": .string(name), "scopes_supported": ["mcp:use"],
                ])
        }
    }

    @Test("behind a proxy the resource has the public address, with its path or without", arguments: ["/team/mcp", "/tools/team/mcp"])
    func publicAddress(path: String) async throws {
        try await Door.open(IdentitySettings(issuers: Self.issuers), publicURL: "https://mcp.example.com/tools") { door async throws in
            let body = try await door.send(.get, Self.prefix + path).body(within: .seconds(5))
            #expect(try JSONValue(parsing: body)["resource"] == "https://mcp.example.com/tools/team/mcp")
        }
    }

    @Test("what is not there has none", arguments: ["/other/mcp", "/team", "/team/messages", "x", "/team/mcp/", "/healthz", "/toolsteam/mcp"])
    func unknown(path: String) async throws {
        try await Door.open(IdentitySettings(issuers: Self.issuers), publicURL: "https://mcp.example.com/tools") { door async throws in
            #expect(try await door.send(.get, Self.prefix + path).status == 404)
        }
    }

    @Test("where nobody issues tokens there is none, and clients of 2025-03-26 find no authorization server here")
    func none() async throws {
        try await Door.open(TestKey.settings(try TestKey("bot"))) { door async throws in
            for path in [Self.prefix + "/team/mcp", Self.prefix, "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
                #expect(try await door.send(.get, path).status == 404)
            }
        }
    }

    @Test("a page that asks first is told that it may, and nothing but GET")
    func preflight() async throws {
        try await Door.open(IdentitySettings(issuers: Self.issuers)) { door async throws in
            let fields = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "x-y")]
            let response = try await door.send(.options, Self.prefix + "/team/mcp", fields)
            #expect(response.status == 204 && response.headers["access-control-allow-headers"] == "x-y")
            #expect(try await door.send(.post, Self.prefix + "/team/mcp", body: "{}").status == 405)
        }
    }

    @Test("a name that was made to lead here learns nothing")
    func foreignHost() async throws {
        try await Door.open(IdentitySettings(issuers: Self.issuers)) { door async throws in
            let connection = try await Connection.connect(host: "127.0.0.1", port: door.port, within: .seconds(5), on: door.loop)
            defer { connection.close() }
            connection.write(bytes("GET \(Self.prefix)/team/mcp HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
            while try await connection.fill(within: .seconds(5)) {}
            #expect(String(decoding: connection.input.take(connection.input.count), as: UTF8.self).hasPrefix("HTTP/1.1 403 "))
        }
    }
}
