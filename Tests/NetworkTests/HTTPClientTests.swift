import Testing

@testable import Network

@Suite struct HTTPClientTests {
    @Test func aThousandRequestsUseOneConnection() async throws {
        let ports = try await withServer { exchange in
            exchange.respond(200, contentType: nil, body: Array("\(exchange.request.peer.port)".utf8))
        } _: { server in
            let client = HTTPClient(loop: server.loop)
            var ports: Set<[UInt8]> = []
            for _ in 0..<1000 {
                let response = try await client.send(HTTPClientRequest(.post, server.origin, "/", body: [1]), within: .seconds(5))
                ports.insert(try await response.body(within: .seconds(5)))
            }
            client.closeIdle()
            return ports.count
        }
        #expect(ports == 1)
    }

    @Test func headAndBodyArriveAsTheyWereSent() async throws {
        try await withServer { exchange in
            let request = exchange.request
            let fields = [("X-Echo", request.headers["x-a"] ?? "none"), ("X-Prefix", request.headers["x-p"] ?? "none")]
            let line = "\(request.method) \(request.path) \(request.query ?? "-") \(request.headers.count(of: "host")) "
            exchange.respond(201, contentType: "text/plain", fields: fields, body: Array(line.utf8) + request.body)
        } _: { server in
            let client = HTTPClient(loop: server.loop)
            let request = HTTPClientRequest(
                .post, server.origin, "/a b?c\r\nX", fieldsPrefix: HTTPClientRequest.lines([("X-P", "p")]),
                fields: [("X-A", "1\r\n2"), ("host", "evil"), ("Content-Length", "0")], body: Array("body".utf8))
            let response = try await client.send(request, within: .seconds(5))
            #expect(response.status == 201)
            #expect(response.headers["x-echo"] == "1  2")
            #expect(response.headers["x-prefix"] == "p")
            #expect(try await text(response.body(within: .seconds(5))) == "POST /a%20b c%0D%0AX 1 body")
            client.closeIdle()
        }
    }

    @Test func streamsAreReadAsTheyCome() async throws {
        let next = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            exchange.startStream(200, contentType: SSE.contentType)
            for word in ["one", "two"] {
                _ = await next.next()
                try? await exchange.send(SSE.comment("quiet") + SSE.frame(data: Array(word.utf8), id: word))
            }
            exchange.finish()
        } _: { server in
            let client = HTTPClient(loop: server.loop)
            let response = try await client.send(HTTPClientRequest(.get, server.origin, "/"), within: .seconds(5))
            let stream = SSEStream(response)
            await expect(kind: .timedOut) { _ = try await stream.next(within: .milliseconds(5)) }
            _ = next.send(true)
            #expect(try await stream.next(within: .seconds(5)) == SSEEvent(data: Array("one".utf8), id: "one"))
            _ = next.send(true)
            #expect(try await stream.next(within: .seconds(5))?.data == Array("two".utf8))
            #expect(try await stream.next(within: .seconds(5)) == nil)
            #expect(stream.lastEventID == "two")
            client.closeIdle()
        }
    }

    @Test func cancellingWakesWhoeverWaitsAndTellsTheServer() async throws {
        let gone = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            exchange.startStream(200, contentType: "text/plain")
            await withUnsafeContinuation { continuation in exchange.onPeerGone = { continuation.resume() } }
            _ = gone.send(true)
        } _: { server in
            let client = HTTPClient(loop: server.loop)
            let response = try await client.send(HTTPClientRequest(.get, server.origin, "/"), within: .seconds(5))
            _ = server.loop.schedule(after: .milliseconds(5)) { response.cancel() }
            await expect(kind: .closed) { _ = try await response.chunk(within: nil) }
            await expect(kind: .closed) { _ = try await response.chunk(within: nil) }
            #expect(await gone.next() == true)
        }
    }

    @Test func aBrokenOffExchangeStopsWaiting() async throws {
        let begun = Mailbox<Bool>(capacity: 1)
        let outcome = Mailbox<Bool>(capacity: 1)
        let breaker = Mailbox<@Sendable () -> Void>(capacity: 1)
        try await withServer { exchange in
            _ = begun.send(true)
            await withUnsafeContinuation { continuation in exchange.onPeerGone = { continuation.resume() } }
        } _: { server in
            server.loop.task {
                do throws(NetworkError) {
                    let request = HTTPClientRequest(.get, server.origin, "/")
                    _ = try await HTTPClient(loop: server.loop).send(request, within: .seconds(50)) { _ = breaker.send($0) }
                } catch { _ = outcome.send(error.kind == .closed) }
            }
            #expect(await begun.next() == true)
            await breaker.next()?()
            #expect(await outcome.next() == true)
        }
    }

    @Test func aDroppedResponseClosesItsConnection() async throws {
        let gone = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            exchange.startStream(200, contentType: "text/plain")
            await withUnsafeContinuation { continuation in exchange.onPeerGone = { continuation.resume() } }
            _ = gone.send(true)
        } _: { server in
            _ = try await HTTPClient(loop: server.loop).send(HTTPClientRequest(.get, server.origin, "/"), within: .seconds(5)).status
            #expect(await gone.next() == true)
        }
    }

    @Test func silenceTimesOut() async throws {
        try await withServer { exchange in
            await withUnsafeContinuation { continuation in exchange.onPeerGone = { continuation.resume() } }
        } _: { server in
            let client = HTTPClient(loop: server.loop)
            await expect(kind: .timedOut) { _ = try await client.send(HTTPClientRequest(.get, server.origin, "/"), within: .milliseconds(10)) }
        }
    }

    @Test func limitsHold() async throws {
        var limits = HTTPClientLimits()
        limits.replyBytesMax = 1000
        limits.connectionsPerOriginMax = 1
        let small = limits
        try await withServer { exchange in
            exchange.respond(200, contentType: nil, body: [UInt8](repeating: 97, count: 2000))
        } _: { server in
            let client = HTTPClient(loop: server.loop, limits: small)
            let request = HTTPClientRequest(.get, server.origin, "/")
            let response = try await client.send(request, within: .seconds(5))
            await expect(kind: .overloaded) { _ = try await client.send(request, within: .seconds(5)) }
            await expect(kind: .tooLarge) { _ = try await response.body(within: .seconds(5)) }
            #expect(try await client.send(request, within: .seconds(5)).body(max: 2000, within: .seconds(5)).count == 2000)
            client.closeIdle()
        }
    }
}
