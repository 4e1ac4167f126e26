import JSON
import MCPProtocol
import Testing

@testable import Transport

@Suite("A client on one channel, modern era")
struct ModernDuplexClientTests {
    @Test("requests need no opening, and both eras may be mixed")
    func mixed() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.ask("tools/list", id: "1", isModern: true)
            #expect(try await talk.nextCall().revision == .v2026_07_28)
            _ = try await talk.next()
            #expect(try await talk.next()["result"]?["resultType"] == "complete")
            talk.initialize()
            #expect(try await talk.next()["result"]?["protocolVersion"] == "2025-06-18")
            talk.ask("tools/list", id: "2")
            #expect(try await talk.nextCall().revision == .v2025_06_18)
        }
    }

    @Test("`server/discover` tells who we are, and needs its metadata")
    func discover() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.ask("server/discover", id: "1", isModern: true)
            let result = try await talk.next()["result"]
            #expect(result?["supportedVersions"]?.array?.first == "2026-07-28")
            #expect(result?["resultType"] == "complete")
            #expect(result?["_meta"]?[MetaKey.serverInfo]?["name"] == "team")
            talk.ask("server/discover", id: "2")
            #expect(try await talk.next()["error"]?["code"] == -32602)
        }
    }

    @Test("where the transport is legacy, modern metadata opens nothing")
    func legacyTransport() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation(speaksModern: false)
            talk.ask("tools/list", id: "1", isModern: true)
            #expect(try await talk.next()["error"]?["code"] == -32600)
        }
    }

    @Test("a subscription is acknowledged, told of changes under its id, and ended with the gateway")
    func subscription() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.ask("subscriptions/listen", id: #""s""#, isModern: true, params: #""notifications":{"toolsListChanged":true}"#)
            let acknowledged = try await talk.next()
            #expect(acknowledged["method"] == "notifications/subscriptions/acknowledged")
            #expect(acknowledged["params"]?["notifications"] == ["toolsListChanged": true])
            #expect(acknowledged["params"]?["_meta"] == ["io.modelcontextprotocol/subscriptionId": "s"])
            talk.service.changes.publish([.tools], to: "other")
            talk.service.changes.publish([.tools], to: "team")
            let changed = try await talk.next()
            #expect(changed["method"] == "notifications/tools/list_changed")
            #expect(changed["params"]?["_meta"] == ["io.modelcontextprotocol/subscriptionId": "s"])
            await talk.client.finishRunning(within: .zero)
            talk.service.changes.end()
            let end = try await talk.next()
            #expect(end["id"] == "s")
            #expect(end["result"]?["resultType"] == "complete")
        }
    }

    @Test("a subscription that is cancelled ends without a word, and its id is free again")
    func cancelledSubscription() async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.ask("subscriptions/listen", id: "1", isModern: true, params: #""notifications":{}"#)
            #expect(try await talk.next()["params"]?["notifications"] == [:])
            talk.service.changes.publish([.tools], to: "team")
            talk.say(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
            talk.ask("server/discover", id: "2", isModern: true)
            #expect(try await talk.next()["id"] == 2)
        }
    }

    @Test("a subscription says what it wants", arguments: ["", #""notifications":[]"#, #""notifications":null"#])
    func malformed(params: String) async throws {
        try await onLoop { _ async throws in
            let talk = Conversation()
            talk.ask("subscriptions/listen", id: "1", isModern: true, params: params)
            #expect(try await talk.next()["error"]?["code"] == -32602)
        }
    }
}
