import MCPProtocol
import Synchronization
import Testing

@testable import Auth
@testable import Network
@testable import Transport

@Suite("Sessions and streams belong to their callers")
struct LostAccessTests {
    @Test("a session is its caller's: another key of theirs goes on with it, somebody else's finds nothing")
    func session() async throws {
        let (mine, second, other) = (try TestKey("bot"), try TestKey("bot"), try TestKey("other"))
        try await Door.open(TestKey.settings(mine, second, other)) { door async throws in
            let opened = try await door.initialize([mine.bearer])
            let session = ("Mcp-Session-Id", try #require(opened.headers["mcp-session-id"]))
            #expect(try await door.ask("ping", [mine.bearer, session]).status == 200)
            #expect(try await door.ask("ping", [second.bearer, session]).status == 200)
            for method in [HTTPMethod.get, .delete] { #expect(try await door.send(method, "/team/mcp", [other.bearer, session]).status == 404) }
            #expect(try await door.ask("ping", [other.bearer, session]).status == 404)
            #expect(try await door.ask("ping", [session]).status == 401)
            #expect(try await door.send(.delete, "/team/mcp", [second.bearer, session]).status == 200)
            #expect(try await door.ask("ping", [mine.bearer, session]).status == 404)
        }
    }

    @Test("the streams of a revoked key end", arguments: ["GET", "listen", "sse"])
    func streams(kind: String) async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key)) { door async throws in
            let stream =
                switch kind {
                case "GET": try await door.send(.get, "/team/mcp", [key.bearer, ("Accept", "text/event-stream")])
                case "sse": try await door.send(.get, "/team/sse", [key.bearer])
                default: try await door.askModern("subscriptions/listen", params: #""notifications":{"toolsListChanged":true}"#, [key.bearer])
                }
            #expect(stream.status == 200)
            door.front.endLostAccess()
            door.revokeAll()
            _ = try await stream.body(within: .seconds(5))
        }
    }

    @Test("a running call of a revoked key ends, and is told why", arguments: [false, true])
    func call(isModern: Bool) async throws {
        let key = try TestKey("bot")
        try await Door.open(TestKey.settings(key)) { door async throws in
            let answer = Mailbox<Int>(capacity: 1)
            door.loop.task {
                let name = ("Mcp-Name", "x")
                let response =
                    try? await isModern
                    ? door.askModern("tools/call", params: #""name":"x""#, [key.bearer, name])
                    : door.ask("tools/call", params: #"{"name":"x"}"#, [key.bearer])
                answer.send(response?.status ?? 0)
            }
            let call = try #require(await door.service.calls.next())
            door.revokeAll()
            #expect(await answer.next() == 401)
            #expect(call.cancellation.isCancelled)
        }
    }

    @Test("a stream of HTTP+SSE takes messages from its caller only")
    func sse() async throws {
        let (mine, other) = (try TestKey("bot"), try TestKey("other"))
        try await Door.open(TestKey.settings(mine, other)) { door async throws in
            let stream = try await Connection.connect(host: "127.0.0.1", port: door.port, within: .seconds(5), on: door.loop)
            defer { stream.close() }
            stream.write(bytes("GET /team/sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(mine.text)\r\n\r\n"))
            var text = ""
            while !text.contains("session_id=") || !text.hasSuffix("\r\n") {
                #expect(try await stream.fill(within: .seconds(5)))
                text += String(decoding: stream.input.take(stream.input.count), as: UTF8.self)
            }
            let path = String(
                try #require(text.split(separator: "\n").first { $0.contains("session_id=") }).dropFirst("data: ".count).filter { !$0.isWhitespace })
            #expect(try await door.ask("ping", path: path, [other.bearer]).status == 404)
            #expect(try await door.ask("ping", path: path).status == 401)
            #expect(try await door.ask("ping", path: path, [mine.bearer]).status == 202)
        }
    }

    private func caller(expires: Int) -> Caller {
        Caller(.token(issuer: "i"), user: "alice", token: BearerToken(value: Secret("t"), expires: expires))
    }

    @Test("a token that runs out ends streams, but not the call that it began")
    func expiry() {
        let access = OpenAccess()
        let ended = Mutex<[String]>([])
        _ = access.enter(caller(expires: 100), .stream) { ended.withLock { $0.append("stream") } }
        _ = access.enter(caller(expires: 100), .call) { ended.withLock { $0.append("call") } }
        access.endLost(now: 99) { _ in true }
        #expect(ended.withLock { $0 } == [])
        access.endLost(now: 100) { _ in false }
        access.endLost(now: 100) { _ in false }
        #expect(ended.withLock { $0 } == ["stream"])
        // The issuer is not trusted any more.
        access.endLost(now: 99) { _ in false }
        #expect(ended.withLock { $0 } == ["stream", "call"])
    }

    @Test("a stream lasts as long as the newest token of its caller")
    func renewal() {
        let access = OpenAccess()
        let ended = Mutex(0)
        let ticket = access.enter(caller(expires: 100), .stream) { ended.withLock { $0 += 1 } }
        access.renew(ticket, as: caller(expires: 200))
        access.endLost(now: 150) { ($0.token?.expires ?? 0) > 150 }
        #expect(ended.withLock { $0 } == 0)
        access.leave(ticket)
        access.endLost(now: 250) { _ in false }
        #expect(ended.withLock { $0 } == 0)
    }
}
