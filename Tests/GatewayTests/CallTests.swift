import Auth
import JSON
import MCPProtocol
import Testing
import Transport
import VirtualServers

@testable import Gateway

@Suite("Calls through the gateway")
struct CallTests {
    @Test("tools are listed under their names, and calls reach the upstream under its own, shaped")
    func shaped() async throws {
        let stage = try Stage()
        let rules = [ArgumentRule(name: "a", fixed: "pinned", position: Stage.position)]
        let settings = stage.settings([stage.upstream("up", tools: ["get", "list", "other"])], select: ["up.get", "up.l*"], rules: rules)
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_get", "up_list"])
            let params = try await gateway.report(of: "up_get", ["z": 1])?["params"]
            #expect(params == ["name": "get", "arguments": ["z": 1, "a": "pinned"]])
            #expect(try await gateway.report(of: "up_list", ["a": [nil]])?["params"]?["arguments"] == ["a": [nil]])
            let refused = try await gateway.ask("tools/call", #"{"name":"up_get","arguments":{"\u0061":1}}"#)
            #expect(refused?["error"]?["code"] == -32602)
        }
    }

    @Test("a tool that is not exposed answers as one that does not exist")
    func unknown() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["get", "other"])], select: ["up.get"])) { gateway async throws in
            for name in ["up_other", "get", "other", "nothing", ""] {
                let error = try await gateway.ask("tools/call", #"{"name":"\#(name)"}"#)?["error"]
                #expect(error == ["code": -32602, "message": .string("Unknown tool: \(name)")])
            }
            for params in ["{}", #"{"name":5}"#] { #expect(try await gateway.ask("tools/call", params)?["error"]?["code"] == -32602) }
            #expect(try await gateway.ask("prompts/list")?["error"]?["code"] == -32601)
        }
    }

    @Test("progress comes back under the client's token, and log messages from its level on")
    func notifications() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["get"])], select: ["up.get"])) { gateway async throws in
            let channel = NotedChannel()
            let answer = try await gateway.ask(
                "tools/call", #"{"name":"up_get","_meta":{"progressToken":"mine","x/y":1}}"#, logLevel: .warning, to: channel)
            #expect(answer?["id"] == "q")
            #expect(answer?["result"]?["structuredContent"]?["params"]?["_meta"]?["x/y"] == 1)
            #expect(channel.notifications.map { $0["method"] } == ["notifications/progress", "notifications/message"])
            #expect(channel.notifications.first?["params"] == ["progressToken": "mine", "progress": 1])
            #expect(channel.notifications.last?["params"]?["level"] == "error")
        }
    }

    @Test("a modern client of a legacy upstream gets modern results")
    func modern() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["get"])], select: ["up.get"])) { gateway async throws in
            let list = try await gateway.ask("tools/list", revision: .latestModern)?["result"]
            #expect(list?["resultType"] == "complete")
            #expect(list?["cacheScope"] == "public")
            #expect(list?["ttlMs"] == 60_000)
            let result = try await gateway.ask("tools/call", #"{"name":"up_get"}"#, revision: .latestModern)?["result"]
            #expect(result?["resultType"] == "complete")
            #expect(result?["_meta"]?[MetaKey.serverInfo]?["name"] == "team")
        }
    }

    @Test("a call that was cancelled is answered with silence")
    func cancelled() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["silent"])], select: ["up.silent"])) { gateway async throws in
            let cancellation = Cancellation()
            cancellation.cancel()
            #expect(try await gateway.ask("tools/call", #"{"name":"up_silent"}"#, cancellation: cancellation) == nil)
        }
    }

    @Test("an upstream's failure is told in a short text with an id: no path, no stack, nothing of the cause")
    func failures() async throws {
        let stage = try Stage()
        let settings = stage.settings(
            [
                stage.upstream("up", tools: ["crash"]), stage.upstream("slow", tools: ["silent"], timeout: .milliseconds(50)),
                stage.absentUpstream("gone"),
            ],
            select: ["up.crash", "slow.silent", "gone.get"])
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_crash", "slow_silent"])
            let expected = [
                "up_crash": #"The upstream "up" went away during the call, which may have had an effect"#,
                "slow_silent": #"The upstream "slow" did not answer in time"#, "gone_get": #"The upstream "gone" is not available at present"#,
            ]
            for (tool, text) in expected {
                let error = try await gateway.ask("tools/call", #"{"name":"\#(tool)"}"#)?["error"]
                let message = error?["message"]?.string ?? ""
                #expect(error?["code"] == -32603)
                #expect(error?["data"] == nil)
                #expect(message.hasPrefix(text + " (error id ") && message.count == text.count + 20, "\(message)")
                #expect(!message.contains("/"))
            }
        }
    }

    @Test("long lists have pages, whose cursors are ours alone")
    func pages() async throws {
        let stage = try Stage()
        let settings = stage.settings([stage.upstream("up", tools: ["a", "b", "c", "d", "e"])], select: ["up.*"], listPage: 2)
        try await stage.run(settings) { gateway async throws in
            var names: [String?] = []
            var cursor: String?
            var count = 0
            repeat {
                let page = try await gateway.ask("tools/list", cursor.map { #"{"cursor":"\#($0)"}"# } ?? #"{"cursor":null}"#)?["result"]
                names += (page?["tools"]?.array ?? []).map { $0["name"]?.string }
                cursor = page?["nextCursor"]?.string
                count += 1
            } while cursor != nil && count < 10
            #expect(names == ["up_a", "up_b", "up_c", "up_d", "up_e"])
            #expect(count == 3)
            let pages = ["page 0", "page 3", "page -1", "page 99999999999999999999", "x"].map { Base64.encodeURL(Array($0.utf8)) }
            for bad in pages + ["", "1", "ü"] {
                #expect(try await gateway.ask("tools/list", #"{"cursor":"\#(bad)"}"#)?["error"]?["code"] == -32602)
            }
        }
    }
}
