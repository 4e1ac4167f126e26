import JSON
import MCPProtocol
import Testing

@testable import Transport

@Suite("A client on one channel, legacy era")
struct DuplexClientTests {
    @Test("`initialize` is answered before what follows on the channel")
    func order() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            talk.ask("tools/list", id: "1")
            let hello = try await talk.next()
            #expect(hello["id"] == 0)
            #expect(hello["result"]?["protocolVersion"] == "2025-06-18")
            #expect(hello["result"]?["instructions"] == "Ask first.")
            #expect(hello["result"]?["serverInfo"]?["title"] == "Team")
            #expect(try await talk.next()["method"] == "notifications/message")
            #expect(try await talk.next()["id"] == 1)
            let call = try await talk.nextCall()
            #expect(call.revision == .v2025_06_18)
            #expect(call.caller.description == "user:alice")
            #expect(String(decoding: call.clientCapabilities, as: UTF8.self) == #"{"roots":{}}"#)
        }
    }

    @Test("an unknown revision is answered with the latest legacy one", arguments: ["2099-01-01", "2026-07-28", ""])
    func unknownRevision(version: String) async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize(version)
            #expect(try await talk.next()["result"]?["protocolVersion"] == "2025-11-25")
        }
    }

    @Test("without `initialize` only `ping` is answered")
    func uninitialized() async throws {
        try await onLoop { _ async throws in
            for speaksModern in [true, false] {
                let talk = Conversation(speaksModern: speaksModern)
                talk.say(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
                talk.ask("tools/list", id: "1")
                #expect(try await talk.next()["error"]?["code"] == -32600)
                talk.ask("ping", id: "2")
                #expect(try await talk.next() == ["jsonrpc": "2.0", "id": 2, "result": [:]])
                talk.service.changes.publish([.tools], to: "team")
                talk.ask("initialize", id: "3")
                #expect(try await talk.next()["error"]?["code"] == -32602)
            }
        }
    }

    @Test("the members of a batch are answered together, where the revision has batches")
    func batches() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize("2025-03-26")
            _ = try await talk.next()
            let ping = { (id: Int) in #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# }
            let notification = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#
            talk.say(" [\(ping(1)),\(notification),\(ping(2)),{}]")
            let replies = try #require(try await talk.next().array)
            #expect(Set(replies.map { $0["id"]?.integer }) == [1, 2, nil] && replies.count == 3)
            talk.say("[\(notification)]")
            talk.say("[]")
            #expect(try await talk.next()["error"]?["code"] == -32600)
            let later = Conversation()
            later.initialize("2025-06-18")
            _ = try await later.next()
            later.say("[\(ping(1))]")
            #expect(try await later.next()["error"]?["code"] == -32600)
        }
    }

    @Test("what is no message is answered with an error, and the channel goes on")
    func unreadable() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.say("nonsense{")
            let refusal = try await talk.next()
            #expect(refusal["id"] == .null)
            #expect(refusal["error"] != nil)
            talk.say(#"{"jsonrpc":"2.0","id":5,"method":"ping","method":"ping"}"#)
            #expect(try await talk.next()["id"] == 5)
            talk.say(#"{"jsonrpc":"2.0","id":6,"result":{}}"#)
            talk.say(#"{"jsonrpc":"2.0","id":6,"error":{}}"#)
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#)
            talk.ask("ping", id: "7")
            #expect(try await talk.next()["id"] == 7)
        }
    }

    @Test("a cancelled call is cancelled and never answered; others go on")
    func cancellation() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            _ = try await talk.next()
            talk.ask("tools/call", id: "1")
            talk.ask("tools/call", id: #""1""#)
            let (first, second) = (try await talk.nextCall(), try await talk.nextCall())
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#)
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#)
            #expect(first.cancellation.isCancelled)
            #expect(!second.cancellation.isCancelled)
            talk.service.release(#""1""#)
            #expect(try await talk.next()["id"] == "1")
            talk.ask("ping", id: "2")
            #expect(try await talk.next()["id"] == 2)
        }
    }

    @Test("an id that is in use is refused, and may be used again afterwards")
    func idInUse() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            _ = try await talk.next()
            talk.ask("tools/call", id: "1")
            _ = try await talk.nextCall()
            talk.ask("ping", id: "1")
            let refusal = try await talk.next()
            #expect(refusal["id"] == 1)
            #expect(refusal["error"]?["code"] == -32600)
            talk.service.release("1")
            #expect(try await talk.next()["result"] == ["held": true])
            talk.ask("ping", id: "1")
            #expect(try await talk.next()["result"] == [:])
        }
    }

    @Test("so many requests at once and no more; the end cancels them all")
    func tooMany() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            _ = try await talk.next()
            for id in 1...512 { talk.ask("tools/call", id: "\(id)") }
            talk.ask("tools/call", id: "513")
            let refusal = try await talk.next()
            #expect(refusal["id"] == 513)
            #expect(refusal["error"]?["code"] == -32603)
            var calls: [Call] = []
            for _ in 1...512 { calls.append(try await talk.nextCall()) }
            talk.client.close()
            #expect(calls.filter(\.cancellation.isCancelled).count == 512)
            await talk.client.finishRunning(within: .seconds(10))
        }
    }

    @Test("log levels are remembered, and unknown ones refused")
    func logLevel() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            _ = try await talk.next()
            for level in [#""loud""#, "5", #""""#] {
                talk.ask("logging/setLevel", id: "1", params: #""level":\#(level)"#)
                #expect(try await talk.next()["error"]?["code"] == -32602)
            }
            talk.ask("logging/setLevel", id: "2", params: #""level":"error""#)
            #expect(try await talk.next()["result"] == [:])
            talk.ask("tools/list", id: "3")
            #expect(try await talk.nextCall().logLevel == .error)
        }
    }

    @Test("changes of its own virtual server reach a client that is initialized, once, until it is closed")
    func changes() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.initialize()
            _ = try await talk.next()
            for _ in 0..<2 { talk.say(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#) }
            talk.service.changes.publish([.tools], to: "other")
            talk.service.changes.publish([.tools], to: "team")
            #expect(try await talk.next() == ["jsonrpc": "2.0", "method": "notifications/tools/list_changed"])
            talk.client.close()
            talk.service.changes.publish([.tools], to: "team")
            talk.ask("ping", id: "1")
            #expect(try await talk.next()["id"] == 1)
        }
    }

    @Test("a virtual server that has gone is said so")
    func gone() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation(server: "gone")
            talk.initialize()
            #expect(try await talk.next()["error"]?["code"] == -32603)
        }
    }
}
