import Testing

@testable import Network

/// A server on a loop of its own thread, and a test body on the same loop.
func withServer<Result: Sendable>(
    limits: HTTPLimits = HTTPLimits(), _ handler: @escaping @Sendable (HTTPExchange) async -> Void,
    _ body: @escaping @Sendable (TestServer) async throws -> Result
) async throws -> Result {
    let loops = LoopGroup(count: 1, name: "http")
    defer { loops.stop() }
    let server = HTTPServer(loops: loops, limits: limits, handler: handler)
    let port = try server.listen(host: "127.0.0.1", port: 0)
    let loop = loops.loops[0]
    return try await withCheckedThrowingContinuation { continuation in
        loop.task {
            do {
                continuation.resume(returning: try await body(TestServer(loop: loop, port: UInt16(port), server: server)))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

struct TestServer: Sendable {
    let loop: EventLoop
    let port: UInt16
    let server: HTTPServer

    var origin: HTTPOrigin { HTTPOrigin(isTLS: false, host: "127.0.0.1", port: port) }

    func connect() async throws(NetworkError) -> Connection {
        try await Connection.connect(host: "127.0.0.1", port: port, within: .seconds(5), on: loop)
    }

    /// Sends raw bytes and returns all that comes until the server closes.
    func raw(_ text: String) async throws -> String {
        let connection = try await connect()
        defer { connection.close() }
        connection.write(Array(text.utf8))
        return try await rest(of: connection)
    }

    func rest(of connection: Connection) async throws -> String {
        while try await connection.fill(within: .seconds(10)) {}
        return String(decoding: connection.input.take(connection.input.count), as: UTF8.self)
    }
}

/// Answers with the method, path and body.
@Sendable func describe(_ exchange: HTTPExchange) async {
    let request = exchange.request
    exchange.respond(200, contentType: "text/plain", body: Array("\(request.method) \(request.path) ".utf8) + request.body)
}

/// What a client reads, head and body, as text.
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
