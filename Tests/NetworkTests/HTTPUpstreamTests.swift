import Testing

@testable import Network

/// A client against servers that say exactly what a test wants.
@Suite struct HTTPUpstreamTests {
    /// Answers each connection's request number `n` with `answers[n]`, then closes.
    private func withUpstream<Result: Sendable>(
        _ answers: [String], _ body: @escaping @Sendable (HTTPClient, HTTPOrigin, Mailbox<String>) async throws -> Result
    ) async throws -> Result {
        let seen = Mailbox<String>(capacity: 100)
        return try await onLoop { loop in
            let listener = try serve(on: loop) { connection in
                for answer in answers {
                    guard try await connection.fill(within: .seconds(5)) else { break }
                    _ = seen.send(text(connection.input.take(connection.input.count)))
                    connection.write(Array(answer.utf8))
                }
                connection.closeAfterWriting()
            }
            defer { listener.stop() }
            return try await body(HTTPClient(loop: loop), HTTPOrigin(isTLS: false, host: "127.0.0.1", port: listener.port), seen)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi"), ("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end"),
        ("HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\nab\r\n1\r\nc\r\n0\r\nT: v\r\n\r\n", "abc"), ("HTTP/1.1 204 No\r\n\r\n", ""),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nz", "z"),
    ])
    func responsesOfAllFramingsAreRead(answer: String, body: String) async throws {
        let got = try await withUpstream([answer]) { client, origin, _ in
            try await client.send(HTTPClientRequest(.get, origin, "/"), within: .seconds(5)).body(within: .seconds(5))
        }
        #expect(text(got) == body)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NetworkError.Kind.protocolViolation),
        ("SSH-2.0-OpenSSH_9\r\n", .closed), ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", .closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", .closed), ("", .closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .protocolViolation),
        ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n", .tooLarge),
        (String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 20), .protocolViolation),
    ])
    func brokenResponsesAreErrors(answer: String, kind: NetworkError.Kind) async throws {
        try await withUpstream([answer]) { client, origin, _ in
            await expect(kind: kind) {
                _ = try await client.send(HTTPClientRequest(.get, origin, "/"), within: .seconds(5)).body(within: .seconds(5))
            }
        }
    }

    @Test func aConnectionThatSaysMoreThanItWasAskedIsNotUsedAgain() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
        let heads = try await withUpstream([answer + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2", answer]) { client, origin, _ in
            var bodies = ""
            for _ in 0..<3 {
                bodies += try await text(client.send(HTTPClientRequest(.post, origin, "/"), within: .seconds(5)).body(within: .seconds(5)))
            }
            return bodies
        }
        #expect(heads == "111")
    }

    @Test func aServerThatClosesAfterEachAnswerIsCalledAnew() async throws {
        let count = try await withUpstream(["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"]) { client, origin, seen in
            for _ in 0..<50 {
                _ = try await client.send(HTTPClientRequest(.get, origin, "/"), within: .seconds(5)).body(within: .seconds(5))
            }
            seen.close()
            var count = 0
            while await seen.next() != nil { count += 1 }
            return count
        }
        #expect(count == 50)
    }

    @Test func aRequestWithEffectIsNeverSentTwice() async throws {
        try await withUpstream(["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", ""]) { client, origin, seen in
            _ = try await client.send(HTTPClientRequest(.post, origin, "/1"), within: .seconds(5)).body(within: .seconds(5))
            await expect(kind: .closed) { _ = try await client.send(HTTPClientRequest(.post, origin, "/2"), within: .seconds(5)) }
            seen.close()
            #expect(await seen.next()?.hasPrefix("POST /1 ") == true)
            #expect(await seen.next()?.hasPrefix("POST /2 ") == true)
            #expect(await seen.next() == nil)
        }
    }

    @Test func aReadIsSentOnceMoreWhenThePooledConnectionWasDead() async throws {
        try await withUpstream(["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", ""]) { client, origin, seen in
            for _ in 0..<2 {
                _ = try await client.send(HTTPClientRequest(.get, origin, "/"), within: .seconds(5)).body(within: .seconds(5))
            }
            seen.close()
            var count = 0
            while await seen.next() != nil { count += 1 }
            #expect(count == 3)
        }
    }

    @Test func plainRequestsAreHandedToTheProxyWhole() async throws {
        try await withUpstream(["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) { client, proxy, seen in
            let origin = HTTPOrigin(isTLS: false, host: "up.test", port: 8080)
            let way = try HTTPProxy("http://u:p%40ss@127.0.0.1:\(proxy.port)/")
            _ = try await client.send(HTTPClientRequest(.get, origin, "/x?y", proxy: way), within: .seconds(5))
            let head = "GET http://up.test:8080/x?y HTTP/1.1\r\nHost: up.test:8080\r\nProxy-Authorization: Basic dTpwQHNz\r\n\r\n"
            #expect(await seen.next() == head)
            #expect("\(way)" == "127.0.0.1:\(proxy.port)")
        }
    }

    @Test func aProxyThatRefusesATunnelIsNamed() async throws {
        try await withUpstream(["HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"]) { client, proxy, seen in
            let way = try HTTPProxy("127.0.0.1:\(proxy.port)")
            let request = HTTPClientRequest(.get, HTTPOrigin(isTLS: true, host: "up.test"), "/", proxy: way)
            await expect(kind: .connect) { _ = try await client.send(request, within: .seconds(5)) }
            #expect(await seen.next() == "CONNECT up.test:443 HTTP/1.1\r\nHost: up.test:443\r\n\r\n")
        }
    }

    @Test(arguments: [
        ("http://a.example/", "", "p:3128"), ("http://a.example/", "*", nil), ("http://a.example/", "xample", "p:3128"),
        ("http://a.example/", "x, A.example", nil), ("http://b.a.example/", ".a.example", nil), ("http://ba.example/", "a.example", "p:3128"),
        ("http://a.example/", "a.example:80", nil), ("http://a.example/", "a.example:81", "p:3128"), ("http://10.1.2.3/", "10.0.0.0/8", nil),
        ("http://11.1.2.3/", "10.0.0.0/8", "p:3128"), ("http://localhost/", "", nil), ("http://127.0.0.9/", "", nil), ("http://[::1]/", "", nil),
        ("https://a.example/", "", "s:80"), ("http://[fd00::1]/", "fd00::/8", nil),
    ])
    func theEnvironmentNamesTheProxy(url: String, exceptions: String, expected: String?) throws {
        let isTLS = url.hasPrefix("https")
        let host = url.dropFirst(isTLS ? 8 : 7).dropLast()
        let environment = ["HTTP_PROXY": "http://wrong", "http_proxy": "http://p:3128", "HTTPS_PROXY": "s", "NO_PROXY": exceptions]
        let proxy = try HTTPProxy.fromEnvironment(for: HTTPOrigin(isTLS: isTLS, host: String(host)), environment)
        #expect(proxy?.description == expected)
    }
}
