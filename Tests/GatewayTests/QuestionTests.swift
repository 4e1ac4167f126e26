import Auth
import JSON
import MCPProtocol
import Synchronization
import Testing
import Transport

@testable import Gateway

@Suite("What a legacy upstream asks in mid-call")
struct QuestionTests {
    private let stage: Stage
    private let capabilities = #"{"elicitation":{}}"#

    init() throws { stage = try Stage() }

    private func run(parkedCallsMax: Int = 10, _ body: @escaping @Sendable (Gateway) async throws -> Void) async throws {
        let upstream = stage.upstream("up", tools: ["asking", "insisting", "hasty"])
        let settings = stage.settings([upstream], select: ["up.*"], replyBytesMax: 32 << 20, parkedCallsMax: parkedCallsMax)
        try await stage.run(settings) { gateway in
            _ = try await gateway.toolNames()
            try await body(gateway)
        }
    }

    /// A modern client's call, the first or a retry.
    private func call(
        _ gateway: Gateway, _ retry: JSONValue = [:], arguments: JSONValue = [:], as caller: Caller = .anonymous, tool: String = "asking"
    ) async throws -> JSONValue {
        var params: JSONValue = ["name": .string("up_" + tool), "arguments": arguments]
        for member in retry.members ?? [] { params[member.key] = member.value }
        let text = String(decoding: params.bytes, as: UTF8.self)
        return try await gateway.ask("tools/call", text, as: caller, revision: .latestModern, capabilities: capabilities) ?? .null
    }

    private static let accepted: JSONValue = ["question-1": ["action": "accept", "content": ["name": "Ada"]]]

    @Test("a legacy client is asked on its own channel, and told who asks")
    func legacyClient() async throws {
        try await run { gateway in
            let channel = AnsweringChannel()
            let answer = try await gateway.ask(
                "tools/call", #"{"name":"up_asking","arguments":{}}"#, capabilities: #"{"elicitation":{}}"#, to: channel)
            #expect(answer?["result"]?["structuredContent"]?["answer"] == ["jsonrpc": "2.0", "id": "q", "result": ["action": "decline"]])
            #expect(channel.asked.map { $0.params["message"] } == ["up: Name?"])
        }
    }

    @Test(
        "a client that has not declared it is not asked: the upstream hears so",
        arguments: [(Revision.v2025_03_26, #"{"elicitation":{}}"#), (.v2025_11_25, "{}"), (.v2025_11_25, #"{"elicitation":{"url":{}}}"#)])
    func undeclared(revision: Revision, capabilities: String) async throws {
        try await run { gateway in
            let channel = AnsweringChannel()
            let params = #"{"name":"up_asking","arguments":{}}"#
            let answer = try await gateway.ask("tools/call", params, revision: revision, capabilities: capabilities, to: channel)
            #expect(answer?["result"]?["structuredContent"]?["answer"]?["error"]?["code"] == -32601)
            #expect(channel.asked.isEmpty)
        }
    }

    @Test("a modern client's call is parked, and its retry resumes it, once")
    func parked() async throws {
        try await run { gateway in
            let first = try await call(gateway)
            #expect(first["result"]?["resultType"] == "input_required")
            let question = first["result"]?["inputRequests"]?["question-1"]
            #expect(question?["method"] == "elicitation/create")
            #expect(question?["params"]?["message"] == "up: Name?")
            let retry: JSONValue = ["requestState": first["result"]?["requestState"] ?? .null, "inputResponses": Self.accepted]
            let second = try await call(gateway, retry)
            let answer: JSONValue = ["action": "accept", "content": ["name": "Ada"]]
            #expect(second["result"]?["structuredContent"]?["answer"] == ["jsonrpc": "2.0", "id": "q", "result": answer])
            #expect(try await call(gateway, retry)["error"]?["code"] == -32602, "a replay")
        }
    }

    @Test("what is not answered is asked again, under a state that is good for one time")
    func askedAgain() async throws {
        try await run { gateway in
            var state = try await call(gateway)["result"]?["requestState"] ?? .null
            for responses: JSONValue in [[:], ["other": ["action": "accept"]], ["question-1": ["action": "perhaps"]], ["question-1": 5]] {
                let again = try await call(gateway, ["requestState": state, "inputResponses": responses])
                #expect(again["result"]?["inputRequests"]?["question-1"] != nil)
                #expect(try await call(gateway, ["requestState": state])["error"]?["code"] == -32602)
                state = again["result"]?["requestState"] ?? .null
            }
            let last = try await call(gateway, ["requestState": state, "inputResponses": Self.accepted])
            #expect(last["result"]?["structuredContent"] != nil)
        }
    }

    @Test("a state is good for its own call and caller only, and a wrong use of it ends nothing")
    func foreign() async throws {
        try await run { gateway in
            let state = try await call(gateway)["result"]?["requestState"] ?? .null
            let retry: JSONValue = ["requestState": state, "inputResponses": Self.accepted]
            #expect(try await call(gateway, retry, arguments: ["a": 1])["error"]?["code"] == -32602, "other arguments")
            #expect(try await call(gateway, retry, as: .localUser("mallory"))["error"]?["code"] == -32602, "another caller")
            let text = state.string ?? ""
            for tampered in [text + "x", String(text.dropLast()), (text.hasPrefix("A") ? "B" : "A") + text.dropFirst(), "", "round-1"] {
                #expect(try await call(gateway, ["requestState": .string(tampered)])["error"]?["code"] == -32602)
            }
            #expect(try await call(gateway, ["requestState": 5])["error"]?["code"] == -32602)
            #expect(try await call(gateway, retry)["result"]?["structuredContent"] != nil)
        }
    }

    @Test("beyond the limit a call is not parked but ended, and its upstream serves the next one")
    func tooMany() async throws {
        try await run(parkedCallsMax: 0) { gateway in
            #expect(try await call(gateway)["error"]?["code"] == -32603)
            let channel = AnsweringChannel()
            let answer = try await gateway.ask(
                "tools/call", #"{"name":"up_asking","arguments":{}}"#, capabilities: capabilities, to: channel)
            #expect(answer?["result"] != nil)
        }
    }

    @Test("an upstream that asks again and again is told that it is enough, at once, and nothing stays parked")
    func insisting() async throws {
        try await run(parkedCallsMax: 1) { gateway in
            var answer = try await call(gateway, tool: "insisting")
            var rounds = 0
            while let state = answer["result"]?["requestState"], rounds < 20 {
                rounds += 1
                let key = answer["result"]?["inputRequests"]?.members?.first?.key ?? ""
                let responses: JSONValue = .object([JSONValue.Member(key, ["action": "accept", "content": [:]])])
                answer = try await call(gateway, ["requestState": state, "inputResponses": responses], tool: "insisting")
            }
            #expect(rounds == Round.roundsMax)
            #expect(answer["error"]?["message"] == #"The upstream "up" has asked 16 times and has not answered yet"#)
            // It reads the next line only when it has read that the call is cancelled.
            #expect(try await call(gateway)["result"]?["resultType"] == "input_required")
        }
    }

    @Test("an answer of megabytes is not kept for a client that is away: its retry is told so")
    func hasty() async throws {
        try await run { gateway in
            let first = try await call(gateway, tool: "hasty")
            #expect(first["result"]?["resultType"] == "input_required")
            // Makes the upstream answer both.
            _ = try await call(gateway)
            let retry: JSONValue = ["requestState": first["result"]?["requestState"] ?? .null, "inputResponses": Self.accepted]
            let second = try await call(gateway, retry, tool: "hasty")
            let message = second["error"]?["message"]?.string
            #expect(message == #"The upstream "up" answered while the client was away, with more than is kept: make the call again"#)
        }
    }

    @Test("a modern client that closes its request ends what runs for it")
    func cancelled() async throws {
        try await run { gateway in
            let cancellation = Cancellation()
            cancellation.cancel()
            let answer = try await gateway.ask(
                "tools/call", #"{"name":"up_asking","arguments":{}}"#, revision: .latestModern, capabilities: capabilities, cancellation: cancellation
            )
            #expect(answer == nil)
        }
    }
}

/// Declines every form.
private final class AnsweringChannel: ClientChannel {
    private(set) var asked: [Question] = []
    let canAsk = true
    func notify(_ bytes: [UInt8]) async {}

    func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) async {
        asked.append(question)
        answer(.result(["action": "decline"]))
    }
}
