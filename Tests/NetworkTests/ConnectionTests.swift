import Testing

@testable import Network

@Suite struct ConnectionTests {
    @Test(arguments: [1, 1_000, 65_536, 65_537, 5_000_000])
    func `what is written comes back from an echo, of any size`(size: Int) async throws {
        let isSame = try await onLoop { loop in
            let listener = try serve(on: loop, echo)
            defer { listener.stop() }
            let connection = try await Connection.connect(host: "localhost", port: listener.port, within: .seconds(5), on: loop)
            defer { connection.close() }
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            connection.write(Array("head".utf8), bytes)
            return try await read(size + 4, from: connection) == Array("head".utf8) + bytes
        }
        #expect(isSame)
    }

    @Test func `fill times out and can go on`() async throws {
        try await onLoop { loop in
            let listener = try serve(on: loop, echo)
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            defer { connection.close() }
            await expect(kind: .timedOut) { _ = try await connection.fill(within: .milliseconds(5)) }
            connection.write([9])
            #expect(try await read(1, from: connection) == [9])
        }
    }

    @Test func `drained waits for a slow reader and times out`() async throws {
        try await onLoop { loop in
            let listener = try serve(on: loop) { _ in }
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            defer { connection.close() }
            connection.write([UInt8](repeating: 0, count: 20_000_000))
            #expect(connection.queuedBytes > 0)
            await expect(kind: .timedOut) { try await connection.drained(below: 1, within: .milliseconds(5)) }
        }
    }

    @Test func `a hang-up is announced while nobody reads, and what came before it can be read`() async throws {
        try await onLoop { loop in
            let listener = try serve(on: loop) { connection in
                connection.write(Array("bye".utf8))
                connection.closeAfterWriting()
            }
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            defer { connection.close() }
            let announced = Mailbox<Bool>(capacity: 2)
            connection.onPeerClose = { announced.send(true) }
            #expect(await announced.next() == true)
            #expect(!connection.isStillUsable())
            #expect(try await read(3, from: connection) == Array("bye".utf8))
            #expect(try await connection.fill(within: .seconds(1)) == false)
        }
    }

    @Test func `closing wakes the reader, and the peer sees the end`() async throws {
        try await onLoop { loop in
            let ended = Mailbox<Bool>(capacity: 1)
            let listener = try serve(on: loop) { connection in
                ended.send(try await connection.fill(within: .seconds(5)))
                connection.close()
            }
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            loop.spawn(with: connection) { $0.abort() }
            await expect(kind: .closed) { _ = try await connection.fill(within: nil) }
            #expect(await ended.next() == false)
        }
    }

    @Test func `a pooled connection is usable until something unexpected comes`() async throws {
        try await onLoop { loop in
            let go = Mailbox<Bool>(capacity: 1)
            let listener = try serve(on: loop) { connection in
                _ = await go.next()
                connection.write([1])
            }
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            defer { connection.close() }
            #expect(connection.isStillUsable())
            go.send(true)
            #expect(try await connection.fill(within: .seconds(5)))
            #expect(!connection.isStillUsable())
        }
    }

    @Test func `a refused connection says so`() async throws {
        try await onLoop { loop in
            let listener = try serve(on: loop, echo)
            let address = listener.address
            listener.stop()
            await Task.yield()
            do {
                _ = try await Connection.connect(to: [address], within: .seconds(5), on: loop)
                Issue.record("connected to a closed port")
            } catch let error as NetworkError {
                #expect(error.kind == .connect)
                #expect(error.text == "cannot connect to \(address): \(address): Connection refused")
            }
        }
    }

    @Test func `a port that is taken is refused, shared or not`() async throws {
        let loops = LoopGroup(count: 2, name: "ports")
        defer { loops.stop() }
        let first = try Listener.bind(host: "127.0.0.1", port: 0, loops: loops.loops) { connection, _ in connection.close() }
        #expect(throws: NetworkError.self) {
            _ = try Listener.bind(host: "127.0.0.1", port: first.port, loops: loops.loops) { connection, _ in connection.close() }
        }
        first.stop()
    }

    @Test func `a thousand connections leave no descriptor behind`() async throws {
        let (before, after) = try await onLoop { loop in
            let closed = Mailbox<Bool>(capacity: 4000)
            let listener = try Listener.bind(host: "127.0.0.1", port: 0, loops: [loop]) { connection, loop in
                connection.onClosed = { closed.send(true) }
                loop.spawn(with: connection) { try? await echo($0) }
            }
            let before = openDescriptors()
            for round in 0..<1000 {
                let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
                connection.onClosed = { closed.send(true) }
                connection.write([1])
                _ = try await read(1, from: connection)
                if round % 2 == 0 { connection.close() } else { connection.closeAfterWriting() }
            }
            for _ in 0..<2000 { _ = await closed.next() }
            let after = openDescriptors()
            listener.stop()
            return (before, after)
        }
        // Other tests run beside this one; a leak would be a thousand.
        #expect(after - before < 600)
    }
}

/// Expects a `NetworkError` of this kind.
func expect(kind: NetworkError.Kind, _ body: () async throws -> Void, at location: SourceLocation = #_sourceLocation) async {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
    } catch let error as NetworkError {
        #expect(error.kind == kind, sourceLocation: location)
    } catch {
        Issue.record("\(error)", sourceLocation: location)
    }
}
