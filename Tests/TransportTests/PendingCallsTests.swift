import JSON
import MCPProtocol
import Network
import Testing

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
            try await pending.response(from: a.mailbox, within: limit, onMessage: { _ in }),
            try await pending.response(from: b.mailbox, within: limit, onMessage: { _ in })
        )
        #expect(answers.0.kind == .error)
        #expect(answers.1.resultValue == ["to": "b"])
        pending.close(a.id)
        #expect(!pending.route(try message(#"{"jsonrpc":"2.0","id":\#(a.id),"result":{}}"#)))
    }

    @Test(
        "what belongs to no call is handed back",
        arguments: [
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
        let (a, b) = (try pending.open(request(canAsk: false)), try pending.open(request(canAsk: false, client: "other")))
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(a.id),"progress":1}}"#)))
        #expect(!pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#)))
        pending.close(b.id)
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#)))
        #expect(pending.route(try message(#"{"jsonrpc":"2.0","id":\#(a.id),"result":{}}"#)))
        var seen: [MCPProtocol.Method?] = []
        _ = try await pending.response(
            from: a.mailbox, within: limit, onMessage: { if case .notification(let message) = $0 { seen.append(message.method) } })
        #expect(seen == [.progress, .log])
    }

    @Test("a channel that is lost ends every call and refuses later ones")
    func lost() async throws {
        let (_, mailbox) = try pending.open()
        pending.lose("it is gone")
        await #expect { try await pending.response(from: mailbox, within: limit, onMessage: { _ in }) } throws: {
            if case UpstreamError.broken("it is gone")? = $0 as? UpstreamError { true } else { false }
        }
        #expect { try pending.open() } throws: { if case UpstreamError.unavailable("it is gone")? = $0 as? UpstreamError { true } else { false } }
    }

    @Test("a call without time has timed out")
    func timeout() async throws {
        let (_, mailbox) = try pending.open()
        await #expect { try await pending.response(from: mailbox, within: CallLimit(idle: .zero, total: .zero), onMessage: { _ in }) } throws: {
            if case UpstreamError.timedOut? = $0 as? UpstreamError { true } else { false }
        }
    }

    @Test("an upstream that floods one call loses it")
    func flood() async throws {
        let (id, mailbox) = try pending.open()
        let progress = try message(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id)}}"#)
        for _ in 0..<1_100 { _ = pending.route(progress) }
        await #expect { try await pending.response(from: mailbox, within: limit, onMessage: { _ in }) } throws: {
            if case UpstreamError.broken? = $0 as? UpstreamError { true } else { false }
        }
    }

    /// `session` where it is another name than the client's.
    private func request(canAsk: Bool, client: String = "someone", session: String?? = nil) -> UpstreamRequest {
        var request = UpstreamRequest("tools/call")
        request.canAsk = canAsk
        request.origin = .init(caller: Array(client.utf8), session: session ?? client)
        return request
    }

    private let question = #"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?","requestedSchema":{}}}"#

    @Test("a question belongs to the only call whose client can be asked")
    func attribution() throws {
        _ = try pending.open(request(canAsk: false), askedBy: .legacy)
        #expect(!pending.route(try message(question)))
        let first = try pending.open(request(canAsk: true), askedBy: .legacy)
        #expect(pending.route(try message(question)))
        let second = try pending.open(request(canAsk: true, client: "other"), askedBy: .legacy)
        #expect(!pending.route(try message(question)), "two clients could be meant")
        #expect(pending.isAmbiguous)
        pending.close(first.id)
        #expect(pending.route(try message(question)))
        pending.close(second.id)
        #expect(!pending.route(try message(question)))
    }

    @Test("a question to one client with several calls belongs to the last")
    func oneClient() throws {
        _ = try pending.open(request(canAsk: true, client: "a"), askedBy: .legacy)
        _ = try pending.open(request(canAsk: true, client: "a"), askedBy: .legacy)
        #expect(pending.route(try message(question)))
        _ = try pending.open(request(canAsk: true, client: "b"), askedBy: .legacy)
        #expect(!pending.route(try message(question)))
    }

    @Test("a question to one caller with several calls belongs to the only one that has not been asked yet", arguments: [nil, "s"])
    func oneCaller(session: String?) async throws {
        try await onLoop { _ async throws in
            let parked = try pending.open(request(canAsk: true, client: "a", session: .some(session)), askedBy: .legacy)
            #expect(pending.route(try message(question)))
            #expect(await hasMessage(parked.mailbox))
            let next = try pending.open(request(canAsk: true, client: "a", session: .some(nil)), askedBy: .legacy)
            #expect(pending.route(try message(question.replacing("\"q\"", with: "\"r\""))))
            #expect(await hasMessage(next.mailbox))
            #expect(pending.route(try message(question.replacing("\"q\"", with: "\"s\""))))
            #expect(await hasMessage(next.mailbox), "several questions at once are one call's")
            pending.wasAnswered(by: parked.id)
            #expect(pending.route(try message(question.replacing("\"q\"", with: "\"t\""))))
            #expect(await hasMessage(parked.mailbox))
            _ = try pending.open(request(canAsk: true, client: "a", session: .some("t")), askedBy: .legacy)
            pending.wasAnswered(by: parked.id)
            #expect(!pending.route(try message(question)), "two calls could be meant")
            _ = try pending.open(request(canAsk: true, client: "b"), askedBy: .legacy)
            #expect(!pending.route(try message(question)), "it must not reach another caller")
        }
    }

    private func hasMessage(_ mailbox: Mailbox<PendingCalls.Incoming>) async -> Bool {
        if case .element(.message) = await mailbox.next(within: .zero) { true } else { false }
    }

    @Test("what a cancelled call logs is nobody else's, until the upstream has answered it")
    func fading() throws {
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#
        let first = try pending.open(request(canAsk: false, client: "a"))
        pending.close(first.id, isCancelled: true)
        let own = try pending.open(request(canAsk: false, client: "a"))
        #expect(pending.route(try message(log)))
        pending.close(own.id)
        let second = try pending.open(request(canAsk: false, client: "b"))
        #expect(!pending.route(try message(log)))
        _ = pending.route(try message(#"{"jsonrpc":"2.0","id":\#(first.id),"error":{"code":0,"message":"cancelled"}}"#))
        #expect(pending.route(try message(log)))
        pending.close(second.id)
    }

    @Test("what a call that was given up asks is nobody else's, until the upstream has answered it")
    func abandoned() throws {
        let first = try pending.open(request(canAsk: true, client: "a"), askedBy: .legacy)
        pending.close(first.id, isCancelled: true)
        let second = try pending.open(request(canAsk: true, client: "b"), askedBy: .legacy)
        #expect(!pending.route(try message(question)))
        pending.close(second.id)
        let own = try pending.open(request(canAsk: true, client: "a"), askedBy: .legacy)
        #expect(pending.route(try message(question)))
        pending.close(own.id)
        _ = pending.route(try message(#"{"jsonrpc":"2.0","id":\#(first.id),"result":{}}"#))
        _ = try pending.open(request(canAsk: true, client: "b"), askedBy: .legacy)
        #expect(pending.route(try message(question)))
    }

    @Test(
        "what a task asks and logs is nobody else's, until it has ended",
        arguments: [
            (nil, #"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t","status":"completed"}}"#),
            ("tasks/cancel", #""result":{"taskId":"t","status":"cancelled"}"#), ("tasks/result", #""result":{"content":[]}"#),
        ] as [(String?, String)])
    func tasks(method: String?, ending: String) throws {
        var making = request(canAsk: true, client: "a")
        making.task = Array("{}".utf8)
        let task = try pending.open(making, askedBy: .legacy)
        _ = pending.route(try message(#"{"jsonrpc":"2.0","id":\#(task.id),"result":{"task":{"taskId":"t","status":"working","ttl":null}}}"#))
        pending.close(task.id)
        let log = try message(#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#)
        let other = try pending.open(request(canAsk: true, client: "b"), askedBy: .legacy)
        #expect(!pending.route(try message(question)))
        #expect(!pending.route(log))
        if let method {
            var request = UpstreamRequest(method)
            (request.mirroredName, request.origin) = ("t", making.origin)
            let end = try pending.open(request, askedBy: .legacy)
            #expect(pending.route(try message(#"{"jsonrpc":"2.0","id":\#(end.id),\#(ending)}"#)))
            pending.close(end.id)
        } else {
            _ = pending.route(try message(ending))
        }
        #expect(pending.route(try message(question)))
        #expect(pending.route(log))
        pending.close(other.id)
    }

    @Test("what one caller's calls log is the one's that waits for no answers, else the last one's of a session")
    func logging() async throws {
        try await onLoop { _ async throws in
            let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#
            let parked = try pending.open(request(canAsk: true, client: "a", session: .some(nil)), askedBy: .legacy)
            #expect(pending.route(try message(question)))
            #expect(await hasMessage(parked.mailbox))
            let next = try pending.open(request(canAsk: true, client: "a"), askedBy: .legacy)
            #expect(pending.route(try message(log)))
            #expect(await hasMessage(next.mailbox))
            pending.wasAnswered(by: parked.id)
            #expect(!pending.route(try message(log)), "two calls could be meant")
            pending.close(parked.id)
            let last = try pending.open(request(canAsk: false, client: "a"), askedBy: .legacy)
            #expect(pending.route(try message(log)))
            #expect(await hasMessage(last.mailbox))
            _ = try pending.open(request(canAsk: false, client: "b"), askedBy: .legacy)
            #expect(!pending.route(try message(log)), "it must not reach another caller")
        }
    }

    @Test("a modern upstream asks by its result only")
    func modern() throws {
        _ = try pending.open(request(canAsk: true), askedBy: .modern)
        #expect(!pending.route(try message(question)))
    }

    @Test("an upstream is answered once, under its own id; what it withdraws is not answered")
    func answers() async throws {
        try await onLoop { _ async throws in
            let sent = Mailbox<[UInt8]>(capacity: 8)
            let questions = OpenQuestions { sent.send($0) }
            guard case .question(let asked)? = await questions.take(try message(question)) else { throw Unexpected() }
            asked.reply(.result(["action": "accept"]))
            asked.reply(.result(["action": "decline"]))
            let answer = try JSONValue(parsing: try #require(await sent.next()))
            #expect(answer == ["jsonrpc": "2.0", "id": "q", "result": ["action": "accept"]])
            guard case .question(let other)? = await questions.take(try message(question)) else { throw Unexpected() }
            let cancellation = try message(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q"}}"#)
            guard case .withdrawal(let key)? = questions.withdrawal(cancellation) else { throw Unexpected() }
            #expect(key == other.question.key)
            other.reply(.result([:]))
            #expect(questions.isEmpty)
            for defect in [#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}"#, #"{"jsonrpc":"2.0","id":1,"method":"a/b"}"#] {
                #expect(await questions.take(try message(defect)) == nil)
                #expect(try JSONValue(parsing: try #require(await sent.next()))["error"] != nil)
            }
        }
    }

    private struct Unexpected: Error {}
}
