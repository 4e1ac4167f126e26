import Testing
import Transport

@testable import Gateway

/// A child that answers with something else than MCP; its calls may take twenty seconds, and none of these waits for that.
@Suite struct MalformedAnswerTests {
    static let tools = ["broken", "overlong", "codeless", "textless", "worded"]

    @Test(arguments: tools)
    func `An answer that is not MCP fails its call, and the upstream stays`(_ tool: String) async throws {
        let stage = try Stage()
        let settings = stage.settings([stage.upstream("up", tools: [tool, "get"])], select: ["up.*"], replyBytesMax: 1_500)
        try await stage.run(settings) { gateway async throws in
            let before = try await gateway.report(of: "up_get")?["pid"]
            let error = try await gateway.ask("tools/call", #"{"name":"up_\#(tool)"}"#)?["error"]
            #expect(error?["code"] == -32603)
            #expect(error?["message"]?.string?.hasPrefix(#"The upstream "up" gave an answer that is not valid MCP (error id "#) == true, "\(tool)")
            #expect(try await gateway.report(of: "up_get")?["pid"] == before)
        }
    }

    @Test func `A line that is no message and names no request disturbs no call`() async throws {
        let stage = try Stage()
        try await stage.run(stage.settings([stage.upstream("up", tools: ["chatty"])], select: ["up.*"])) { gateway async throws in
            #expect(try await gateway.ask("tools/call", #"{"name":"up_chatty"}"#)?["result"] == ["content": []])
        }
    }

    @Test(arguments: ["broken", "codeless"])
    func `An answer that names its request fails no other`(_ tool: String) async throws {
        let stage = try Stage()
        let settings = stage.settings([stage.upstream("up", tools: [tool, "silent"])], select: ["up.*"])
        try await stage.run(settings) { gateway async throws in
            let cancellation = Cancellation()
            _ = try await gateway.toolNames()
            async let other = gateway.ask("tools/call", #"{"name":"up_silent"}"#, cancellation: cancellation)
            #expect(try await gateway.ask("tools/call", #"{"name":"up_\#(tool)"}"#)?["error"]?["code"] == -32603)
            cancellation.cancel()
            #expect(try await other == nil, "it was still waiting")
        }
    }
}
