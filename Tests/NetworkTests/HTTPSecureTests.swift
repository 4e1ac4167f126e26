import Testing

@testable import Network

@Suite(.serialized) struct HTTPSecureTests {
    /// Names the client's certificate, and its port.
    @Sendable static func who(_ exchange: HTTPExchange) async {
        let name = exchange.request.clientCertificate?.uriNames.first ?? "nobody"
        exchange.respond(200, contentType: nil, body: Array("\(exchange.request.isTLS) \(name) \(exchange.request.peer.port)".utf8))
    }

    @Test func theServerLearnsTheClientsCertificateOnAKeptConnection() async throws {
        try await withLoops { loop, loops in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let server = HTTPServer(loops: loops, tls: try certificates.server(requiring: .required), handler: Self.who)
            let port = try server.listen(host: "127.0.0.1", port: 0)
            let context = try TLSClientContext(
                authorities: certificates.path("ca.pem"), certificate: certificates.path("client.pem"), key: certificates.path("client.key"))
            let client = HTTPClient(loop: loop, tls: { () throws(NetworkError) in context })
            let request = HTTPClientRequest(.post, HTTPOrigin(isTLS: true, host: "localhost", port: UInt16(port)), "/", body: [1])
            var answers: Set<String> = []
            for _ in 0..<20 {
                answers.insert(text(try await client.send(request, within: .seconds(5)).body(within: .seconds(5))))
            }
            #expect(answers.count == 1)
            #expect(answers.first?.hasPrefix("true spiffe://test/robot ") == true)
            client.closeIdle()
        }
    }

    @Test(arguments: ["", "\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
    func aHandshakeThatIsNotFinishedIsGivenUp(start: String) async throws {
        try await withLoops { loop, loops in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            var limits = HTTPLimits()
            limits.headerTimeout = .milliseconds(50)
            let server = HTTPServer(loops: loops, limits: limits, tls: try certificates.server(), handler: Self.who)
            let port = try server.listen(host: "127.0.0.1", port: 0)
            let connection = try await Connection.connect(host: "127.0.0.1", port: UInt16(port), within: .seconds(5), on: loop)
            defer { connection.close() }
            connection.write(Array(start.utf8))
            while try await connection.fill(within: .seconds(5)) { #expect(!text(connection.input.take(connection.input.count)).contains("HTTP")) }
        }
    }

    @Test func secureRequestsGoThroughATunnelOfTheProxy() async throws {
        try await withLoops { loop, loops in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let server = HTTPServer(loops: loops, tls: try certificates.server(), handler: Self.who)
            let port = UInt16(try server.listen(host: "127.0.0.1", port: 0))
            let asked = Mailbox<String>(capacity: 10)
            let proxy = try serve(on: loop) { client in
                guard try await client.fill(within: .seconds(5)) else { return client.close() }
                _ = asked.send(text(client.input.take(client.input.count)))
                let target = try await Connection.connect(host: "127.0.0.1", port: port, within: .seconds(5), on: client.loop)
                client.write(Array("HTTP/1.1 200 Connected\r\n\r\n".utf8))
                let ends = (client, target)
                client.loop.spawn(with: ends) { await Self.pass(from: $0.1, to: $0.0) }
                await Self.pass(from: client, to: target)
            }
            defer { proxy.stop() }
            let context = try TLSClientContext(authorities: certificates.path("ca.pem"))
            let client = HTTPClient(loop: loop, tls: { () throws(NetworkError) in context })
            let way = try HTTPProxy("http://me:secret@127.0.0.1:\(proxy.port)")
            let origin = HTTPOrigin(isTLS: true, host: "localhost", port: port)
            for _ in 0..<3 {
                let response = try await client.send(HTTPClientRequest(.get, origin, "/", proxy: way), within: .seconds(5))
                #expect(text(try await response.body(within: .seconds(5))).hasPrefix("true nobody "))
            }
            asked.close()
            let head = "CONNECT localhost:\(port) HTTP/1.1\r\nHost: localhost:\(port)\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
            #expect(await asked.next() == head)
            #expect(await asked.next() == nil)
            client.closeIdle()
        }
    }

    private static func pass(from: Connection, to: Connection) async {
        while (try? await from.fill(within: .seconds(10))) == true { to.write(from.input.take(from.input.count)) }
        to.closeAfterWriting()
        from.close()
    }

    private func withLoops(_ body: @escaping @Sendable (EventLoop, LoopGroup) async throws -> Void) async throws {
        let loops = LoopGroup(count: 1, name: "https")
        defer { loops.stop() }
        try await onLoop { loop in try await body(loop, loops) }
    }
}
