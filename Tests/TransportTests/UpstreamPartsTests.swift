import JSON
import MCPProtocol
import Testing

@testable import Network
@testable import Transport

@Suite("Calls that wait on a shared channel")
struct PendingCallsTests {
    private let pending = PendingCalls()
    private let limit = CallLimit(idle: .seconds(10), total: .seconds(10))

    @Test("an answer finds its call, and only once")
    func routes() async throws {
        let (a, b) = (try pending.open(), try pending.open())
        #expect(a.id != b.id)
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","id":\#(b.id),"result":{"to":"b"}}"#)))
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","id":\#(a.id),"error":{"code":1}}"#)))
        let answers = (
            try await pending.response(from: a.mailbox, within: limit, onNotification: { _ in }),
            try await pending.response(from: b.mailbox, within: limit, onNotification: { _ in })
        )
        #expect(answers.0.kind == .error)
        #expect(answers.1.resultValue == ["to": "b"])
        pending.close(a.id)
        #expect(!pending.route(try message(#"{"jsonrpc":"2.0","id":\#(a.id),"result":{}}"#)))
    }

    @Test("what belongs to no call is handed back", arguments: [
        #"{"jsonrpc":"2.0","id":99,"result":{}}"#, #"{"jsonrpc":"2.0","id":"1","result":{}}"#, #"{"jsonrpc":"2.0","id":null,"error":{}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"1"}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#,
    ])
    func foreign(text: String) throws {
        _ = try pending.open()
        #expect(!pending.route(try message(text)))
    }

    @Test("notifications come before the answer, to the call whose token they name")
    func notifications() async throws {
        let (a, b) = (try pending.open(), try pending.open())
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(a.id),"progress":1}}"#)))
        #expect(!pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#)))
        pending.close(b.id)
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#)))
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","id":\#(a.id),"result":{}}"#)))
        var seen: [MCPProtocol.Method?] = []
        _ = try await pending.response(from: a.mailbox, within: limit, onNotification: { seen.append($0.method) })
        #expect(seen == [.progress, .log])
    }

    @Test("a channel that is lost ends every call and refuses later ones")
    func lost() async throws {
        let (_, mailbox) = try pending.open()
        pending.lose("it is gone")
        await #expect { try await pending.response(from: mailbox, within: limit, onNotification: { _ in }) } throws: {
            if case UpstreamError.broken("it is gone")? = $0 as? UpstreamError { true } else { false }
        }
        #expect { try pending.open() } throws: { if case UpstreamError.unavailable("it is gone")? = $0 as? UpstreamError { true } else { false } }
    }

    @Test("a call without time has timed out")
    func timeout() async throws {
        let (_, mailbox) = try pending.open()
        await #expect { try await pending.response(from: mailbox, within: CallLimit(idle: .zero, total: .zero), onNotification: { _ in }) } throws: {
            if case UpstreamError.timedOut? = $0 as? UpstreamError { true } else { false }
        }
    }

    @Test("an upstream that floods one call loses it")
    func flood() async throws {
        let (id, mailbox) = try pending.open()
        let progress = try message(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id)}}"#)
        for _ in 0..<1_100 { _ = pending.route(progress) }
        await #expect { try await pending.response(from: mailbox, within: limit, onNotification: { _ in }) } throws: {
            if case UpstreamError.broken? = $0 as? UpstreamError { true } else { false }
        }
    }
}

@Suite("A call's clock")
struct CallClockTests {
    private let start = ContinuousClock.now

    @Test("progress counts the idle time anew, but not the total")
    func clock() {
        var clock = CallClock(CallLimit(idle: .seconds(60), total: .seconds(100)), at: start)
        #expect(clock.remaining(at: start) == .seconds(60))
        #expect(clock.remaining(at: start + .seconds(59)) == .seconds(1))
        clock.sawProgress(at: start + .seconds(59))
        #expect(clock.remaining(at: start + .seconds(59)) == .seconds(41))
        #expect(clock.remaining(at: start + .seconds(100)) == .zero)
        clock.sawProgress(at: start + .seconds(100))
        #expect(clock.remaining(at: start + .seconds(101)) < .zero)
    }

    @Test("the total is never less than the idle time")
    func total() {
        #expect(CallLimit(idle: .seconds(60), total: .seconds(10)).total == .seconds(60))
    }
}

@Suite("The address that an HTTP+SSE upstream wants posts at")
struct SSETargetTests {
    private let url = UpstreamURL(isTLS: true, host: "up.example", port: 443, target: "/team/sse?key=1")

    static let good: [(String, String)] = [
        ("/messages?id=1", "/messages?id=1"), ("messages?id=1", "/team/messages?id=1"), ("?id=1", "/team/?id=1"),
        ("https://up.example/m", "/m"), ("https://up.example:443/m", "/m"), ("HTTPS://UP.example/M?x", "/M?x"),
        ("/m?next=https://evil.example/", "/m?next=https://evil.example/"), ("/@evil.example", "/@evil.example"),
    ]

    @Test("an address on the same origin is used", arguments: good)
    func same(address: String, target: String) throws {
        #expect(try SSEOpening.target(address, at: url) == target)
    }

    @Test(
        "an address on another origin is refused: it would carry the credential away",
        arguments: [
            "https://evil.example/m", "http://up.example/m", "https://up.example:444/m", "https://up.example.evil.example/m", "//evil.example/m",
            "https://up.example@evil.example/m", "https://up.example:443@evil.example/m", "https://user@up.example/m", "ftp://up.example/m",
            "https://up.example", "https://[::1]/m",
        ])
    func other(address: String) {
        #expect(throws: UpstreamError.self) { try SSEOpening.target(address, at: url) }
    }

    @Test("whatever the address, it goes on one line to the upstream's own host", arguments: ["/a\r\nHost: evil", "/a b", "a\nb", "\\\\evil.example\\m"])
    func splitting(address: String) throws {
        let target = try SSEOpening.target(address, at: url)
        let origin = HTTPOrigin(isTLS: true, host: "up.example", port: 443)
        let head = String(decoding: HTTPClientRequest(.post, origin, target).head(), as: UTF8.self)
        #expect(head.hasPrefix("POST /") && head.contains("HTTP/1.1\r\nHost: up.example\r\n"))
        #expect(head.split(separator: "\r\n").first?.split(separator: " ").count == 3)
    }

    @Test("an IPv6 upstream is known by its brackets")
    func ipv6() throws {
        let url = UpstreamURL(isTLS: false, host: "::1", port: 8_080, target: "/sse")
        #expect(try SSEOpening.target("http://[::1]:8080/m", at: url) == "/m")
        #expect(throws: UpstreamError.self) { try SSEOpening.target("http://[::1]/m", at: url) }
    }
}

@Suite("The feed of changes")
struct ChangeFeedTests {
    @Test("listeners hear of their own server only, until they leave")
    func listeners() async {
        let feed = ChangeFeed()
        let (mine, other) = (feed.listen(to: "a"), feed.listen(to: "b"))
        feed.publish(.tools, to: "a")
        feed.publish(.tools, to: "b")
        feed.publish(.tools, to: "c")
        feed.leave(mine)
        feed.publish(.tools, to: "a")
        feed.leave(other)
        #expect(await drain(mine) == ["tools"])
        #expect(await drain(other) == ["tools"])
    }

    @Test("everyone hears the end, and nothing after it")
    func end() async {
        let feed = ChangeFeed()
        let listeners = [feed.listen(to: "a"), feed.listen(to: "b")]
        feed.publish(.tools, to: "a")
        feed.end()
        feed.publish(.tools, to: "a")
        #expect(await drain(listeners[0]) == ["tools", "end"])
        #expect(await drain(listeners[1]) == ["end"])
    }

    @Test("a listener that is behind keeps what it has, and is not waited for")
    func behind() async {
        let feed = ChangeFeed()
        let listener = feed.listen(to: "a")
        for _ in 0..<1_000 { feed.publish(.tools, to: "a") }
        feed.leave(listener)
        let seen = await drain(listener)
        #expect(!seen.isEmpty && seen.count <= 16)
    }

    private func drain(_ listener: ChangeFeed.Listener) async -> [String] {
        var seen: [String] = []
        while let change = await listener.changes.next() { seen.append("\(change)") }
        return seen
    }
}
