import Testing

@testable import Network

@Suite struct HTTPServerTests {
    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        let answer = try await withServer(describe) { server in
            try await server.raw(
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                    + "HEAD /3 HTTP/1.1\r\nHost: a\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
        #expect(
            answer == head + "7\r\n\r\nGET /1 " + head + "10\r\n\r\nPOST /2 hi" + head + "8\r\n\r\n" + head
                + "7\r\nConnection: close\r\n\r\nGET /4 ")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "), ("GET / HTTP/1.1\nHost: a\n\n", "HTTP/1.1 400 "), ("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 "),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n", "HTTP/1.1 400 "),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 "),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n", "HTTP/1.1 413 "),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 400 "),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 17_000))\r\n\r\n", "HTTP/1.1 431 "),
        ("\u{16}\u{3}\u{1}\u{0}", "HTTP/1.1 400 "),
    ])
    func aFramingErrorIsAnsweredOnceAndCloses(request: String, answer: String) async throws {
        let text = try await withServer(describe) { try await $0.raw(request) }
        #expect(text.hasPrefix(answer))
        #expect(text.contains("Connection: close\r\n"))
        #expect(text.split(separator: "HTTP/1.1 ").count == 1)
    }

    @Test(arguments: [
        "GET / HTT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ])
    func halfARequestTimesOut(request: String) async throws {
        var limits = HTTPLimits()
        limits.headerTimeout = .milliseconds(20)
        limits.bodyTimeout = .milliseconds(20)
        #expect(try await withServer(limits: limits, describe) { try await $0.raw(request) }.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func idleConnectionsAreClosedWithoutAWord() async throws {
        var limits = HTTPLimits()
        limits.idleTimeout = .milliseconds(20)
        #expect(try await withServer(limits: limits, describe) { try await $0.raw("") } == "")
    }

    @Test func connectionsBeyondTheLimitAreTurnedAway() async throws {
        var limits = HTTPLimits()
        limits.connectionsMax = 1
        try await withServer(limits: limits, describe) { server in
            let first = try await server.connect()
            defer { first.close() }
            first.write(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(try await first.fill(within: .seconds(5)))
            #expect(try await server.raw("").hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test func bodiesAreAskedForWhenTheClientWaits() async throws {
        try await withServer(describe) { server in
            let client = try await server.connect()
            defer { client.close() }
            client.write(Array("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".utf8))
            #expect(try await client.fill(within: .seconds(5)))
            #expect(text(client.input.take(client.input.count)) == "HTTP/1.1 100 Continue\r\n\r\n")
            client.write(Array("ok".utf8))
            #expect(try await server.rest(of: client).hasSuffix("POST / ok"))
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nabc"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
        ),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        ),
    ])
    func streamsAreFramedAsTheClientUnderstands(request: String, answer: String) async throws {
        let text = try await withServer { exchange in
            exchange.startStream(200, contentType: "text/plain")
            try? await exchange.send(Array("a".utf8))
            try? await exchange.send(Array("bc".utf8))
            exchange.finish()
        } _: {
            try await $0.raw(request)
        }
        #expect(text == answer)
    }

    @Test func forgettingToAnswerIsAnError() async throws {
        let text = try await withServer { _ in
        } _: {
            try await $0.raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        }
        #expect(text.hasPrefix("HTTP/1.1 500 "))
    }

    @Test func anUnfinishedStreamIsNotTakenForAWholeOne() async throws {
        let text = try await withServer { exchange in
            exchange.startStream(200, contentType: "text/plain")
            try? await exchange.send([97])
        } _: {
            try await $0.raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(text.hasSuffix("1\r\na\r\n"))
    }

    @Test func fieldsCannotSplitTheResponse() async throws {
        let text = try await withServer { exchange in
            exchange.respond(
                200, contentType: nil,
                fields: [("X-A", "b\r\nSet-Cookie: c"), ("A\r\nB", "c"), ("Content-Length", "9"), ("transfer-encoding", "chunked")])
        } _: {
            try await $0.raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        }
        #expect(text == "HTTP/1.1 200 OK\r\nX-A: b  Set-Cookie: c\r\nA--B: c\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    @Test func theHandlerLearnsThatTheClientHasHungUp() async throws {
        let told = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            let gone = Mailbox<Bool>(capacity: 1)
            exchange.onPeerGone = { _ = gone.send(true) }
            _ = told.send(true)
            _ = await gone.next()
            _ = told.send(exchange.isPeerGone)
            exchange.startStream(200, contentType: "text/plain")
            do throws(NetworkError) { try await exchange.send([1]) } catch { _ = told.send(error.kind == .closed) }
        } _: { server in
            let client = try await server.connect()
            client.write(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(await told.next() == true)
            client.close()
            #expect(await told.next() == true)
            #expect(await told.next() == true)
        }
    }

    @Test func aSlowReaderHoldsBackOnlyItsOwnStream() async throws {
        var limits = HTTPLimits()
        limits.queuedBytesMax = 64 * 1024
        let sent = Mailbox<Int>(capacity: 10_000)
        try await withServer(limits: limits) { exchange in
            guard exchange.request.path == "/slow" else { return await describe(exchange) }
            exchange.startStream(200, contentType: "text/plain")
            for index in 0..<1000 {
                do throws(NetworkError) { try await exchange.send([UInt8](repeating: 97, count: 32 * 1024)) } catch { return }
                _ = sent.send(index)
            }
            exchange.finish()
            sent.close()
        } _: { server in
            let slow = try await server.connect()
            defer { slow.close() }
            slow.write(Array("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
            #expect(await sent.next() == 0)
            for _ in 0..<100 { #expect(try await server.raw("GET /q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").hasSuffix("GET /q ")) }
            var count = 0
            while case .element = await sent.next(within: .milliseconds(20)) { count += 1 }
            #expect(count < 900)
            #expect(try await server.rest(of: slow).utf8.count > 1000 * 32 * 1024)
        }
    }

    @Test func drainingLetsExchangesFinishAndClosesTheRest() async throws {
        let begun = Mailbox<Bool>(capacity: 4)
        let go = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            _ = begun.send(true)
            if exchange.request.path == "/stuck" {
                exchange.onPeerGone = { go.close() }
                exchange.startStream(200, contentType: "text/plain")
                _ = await go.next()
                return
            }
            _ = await go.next()
            exchange.respond(200, contentType: nil)
        } _: { server in
            let idle = try await server.connect()
            let busy = try await server.connect()
            busy.write(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(await begun.next() == true)
            async let drained: Void = server.server.drain(within: .seconds(20))
            #expect(try await idle.fill(within: .seconds(5)) == false)
            _ = go.send(true)
            #expect(try await server.rest(of: busy) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await drained
            idle.close()
            busy.close()
        }
    }

    @Test func drainingBreaksOffWhatDoesNotEnd() async throws {
        let begun = Mailbox<Bool>(capacity: 4)
        try await withServer { exchange in
            exchange.startStream(200, contentType: "text/plain")
            _ = begun.send(true)
            await withUnsafeContinuation { continuation in exchange.onPeerGone = { continuation.resume() } }
        } _: { server in
            let client = try await server.connect()
            client.write(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(await begun.next() == true)
            await server.server.drain(within: .milliseconds(10))
            #expect(try await server.rest(of: client).hasSuffix("\r\n\r\n"))
            client.close()
        }
    }
}
