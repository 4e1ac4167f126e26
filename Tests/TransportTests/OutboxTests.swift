import Auth
import Testing

@testable import Network
@testable import Transport

@Suite struct OutboxTests {
    @Test func `Messages are taken while fewer bytes wait than may, and one too many closes it`() async {
        let outbox = Outbox(bytesMax: 10)
        let message = [UInt8](repeating: 1, count: 6)
        #expect(outbox.send(message) && outbox.send(message))
        #expect(await outbox.next(within: .seconds(1)).message == message)
        #expect(outbox.send(message), "what was read makes room")
        #expect(!outbox.send(message))
        #expect(await outbox.overflowed())
        #expect(!outbox.send([]), "closed")
        #expect(await outbox.next(within: .seconds(1)).message == message, "what waits can still be had")
        #expect(await outbox.next(within: .seconds(1)).message == message)
        #expect(await outbox.next(within: .seconds(1)).message == nil)
    }

    @Test func `One message may be longer than all that may wait`() {
        #expect(Outbox(bytesMax: 10).send([UInt8](repeating: 1, count: 1_000)))
    }

    @Test func `One that is closed before has not overflowed`() async {
        let outbox = Outbox(bytesMax: 10)
        outbox.close()
        #expect(await outbox.overflowed() == false)
    }

    @Test func `A stream of HTTP+SSE that nobody reads is closed when too much waits for it`() async throws {
        try await Door.open(queuedBytesMax: 100_000) { door async throws in
            let stream = try await Connection.connect(host: "127.0.0.1", port: door.port, within: .seconds(5), on: door.loop)
            defer { stream.close() }
            stream.write(bytes("GET /team/sse HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            var text = ""
            while !text.contains("session_id=") || !text.hasSuffix("\r\n") {
                #expect(try await stream.fill(within: .seconds(5)))
                text += String(decoding: stream.input.take(stream.input.count), as: UTF8.self)
            }
            let line = try #require(text.split(separator: "\n").first { $0.contains("session_id=") })
            let path = String(line.dropFirst("data: ".count).filter { !$0.isWhitespace })
            // The answer to a ping is as long as its id.
            let ping = #"{"jsonrpc":"2.0","id":"\#(String(repeating: "x", count: 200_000))","method":"ping"}"#
            var status = 202
            for _ in 0..<200 where status == 202 {
                status = try await door.send(.post, path, [("Content-Type", "application/json")], body: ping).status
            }
            #expect(status == 404)
        }
    }
}

extension Mailbox<[UInt8]>.Received {
    fileprivate var message: [UInt8]? { if case .element(let message) = self { message } else { nil } }
}
