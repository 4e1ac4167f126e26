import Auth
import Foundation
import MCPProtocol
import Testing

@testable import Network
@testable import Transport

/// The HTTP door on a port of its own, over a service that answers by itself.
struct Door: Sendable {
    let service: FakeService
    let front: HTTPFront
    let loop: EventLoop
    let port: UInt16

    /// Opens a door, runs the body on its loop and closes everything.
    static func open(
        _ identity: IdentitySettings = IdentitySettings(), publicURL: String? = nil, queuedBytesMax: Int = 1 << 20,
        _ body: @escaping @Sendable (Door) async throws -> Void
    ) async throws {
        let loops = LoopGroup(count: 1, name: "door")
        defer { loops.stop() }
        let service = FakeService(identity: identity)
        var settings = HTTPFrontSettings(hosts: publicURL == nil ? [] : ["mcp.example.com"], origins: [])
        settings.publicURL = publicURL
        settings.queuedBytesMax = queuedBytesMax
        let front = HTTPFront(service: service, settings: settings, seal: try Seal(key: Array(0..<32)))
        let server = HTTPServer(loops: loops) { exchange in await front.handle(exchange) }
        let door = Door(service: service, front: front, loop: loops.loops[0], port: UInt16(try server.listen(host: "127.0.0.1", port: 0)))
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            door.loop.task {
                do {
                    try await body(door)
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Sends a request; the answer's head has come, its body perhaps not.
    func send(_ method: HTTPMethod, _ path: String, _ fields: [(String, String)] = [], body: String = "") async throws -> HTTPClientResponse {
        let client = HTTPClient(loop: loop, tls: { () throws(NetworkError) in throw NetworkError(.tls, "none") })
        let origin = HTTPOrigin(isTLS: false, host: "127.0.0.1", port: port)
        return try await client.send(HTTPClientRequest(method, origin, path, fields: fields, body: bytes(body)), within: .seconds(5))
    }

    /// A legacy request.
    func ask(_ method: String, id: Int = 1, params: String = "{}", path: String = "/team/mcp", _ fields: [(String, String)] = []) async throws
        -> HTTPClientResponse
    {
        let body = #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
        return try await send(
            .post, path, [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")] + fields, body: body)
    }

    /// A request of 2026-07-28.
    func askModern(_ method: String, params: String = "", _ fields: [(String, String)] = []) async throws -> HTTPClientResponse {
        let meta = #""_meta":{"\#(MetaKey.protocolVersion)":"2026-07-28","\#(MetaKey.clientCapabilities)":{}}"#
        let members = [params, meta].filter { !$0.isEmpty }.joined(separator: ",")
        return try await ask(method, params: "{\(members)}", [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)] + fields)
    }

    func initialize(_ fields: [(String, String)]) async throws -> HTTPClientResponse {
        try await ask("initialize", params: #"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{}}"#, fields)
    }

    /// The caller's way out of the table, and what it ends.
    func revokeAll() {
        service.change(IdentitySettings(keysFile: "/keys.yaml"))
        front.endLostAccess()
    }
}

/// An API key, and what the gateway keeps of it.
struct TestKey: Sendable {
    let text: String
    let kept: APIKey

    init(_ name: String) throws {
        let text = try APIKeyText()
        self.text = text.text.reveal()
        kept = try APIKey(text, name: name, groups: [], created: 0, expires: nil)
    }

    var bearer: (String, String) { ("Authorization", "Bearer \(text)") }

    static func settings(_ keys: TestKey..., issuers: [IssuerSettings] = []) -> IdentitySettings {
        IdentitySettings(keysFile: "/keys.yaml", keys: keys.map(\.kept), issuers: issuers)
    }
}

extension HTTPClientResponse {
    func text() async throws -> String { String(decoding: try await body(within: .seconds(5)), as: UTF8.self) }
}
