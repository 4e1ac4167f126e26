import Auth
import Configuration
import JSON
import MCPProtocol
import Testing
import VirtualServers

@testable import Gateway

@Suite("Roles and policy in the gateway")
struct GatewayPolicyTests {
    private func settings(_ stage: Stage, allow: [String], deny: [String] = [], policy: [String] = [], rules: [ArgumentRule] = []) throws -> Settings
    {
        var settings = stage.settings([stage.upstream("up", tools: ["get", "list"])], select: ["up.get", "up.list"], rules: rules)
        let role = Role(
            name: "r", who: [try WhoPattern(parsing: "everyone", at: Stage.position)],
            allow: try allow.map { try Rule(parsing: $0, at: Stage.position) },
            deny: try deny.map { try Rule(parsing: $0, at: Stage.position) }, position: Stage.position)
        settings.virtualServers[0].access = .roles([role])
        settings.policy = [Prohibition(deny: try policy.map { try Rule(parsing: $0, isOfUpstream: true, at: Stage.position) })]
        return settings
    }

    @Test("the arguments are judged as they go upstream: fixed and default values count")
    func shaped() async throws {
        for (rule, isAllowed) in [
            (ArgumentRule(name: "a", fixed: "x", position: Stage.position), true),
            (ArgumentRule(name: "a", fixed: "y", position: Stage.position), false),
            (ArgumentRule(name: "a", default: "x", position: Stage.position), true),
            (ArgumentRule(name: "a", default: "y", position: Stage.position), false),
        ] {
            let stage = try Stage()
            let settings = try settings(stage, allow: ["up_get(a=x)"], rules: [rule])
            try await stage.run(settings) { gateway async throws in
                _ = try await gateway.toolNames()
                let error = try await gateway.ask("tools/call", #"{"name":"up_get"}"#)?["error"]
                #expect((error == nil) == isAllowed)
                if !isAllowed { #expect(error?["message"] == "Unknown tool: up_get") }
                // With the wrong fixed value nothing is left to allow; with a default the caller can say better.
                #expect(try await gateway.toolNames() == (isAllowed || rule.fixed == nil ? ["up_get"] : []))
            }
        }
    }

    @Test("a tool that may never be called tells nothing of its arguments")
    func silent() async throws {
        let stage = try Stage()
        let rules = [ArgumentRule(name: "a", allow: ["y"], position: Stage.position)]
        let settings = try settings(stage, allow: ["up_get(a=x)", "up_list"], rules: rules)
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_list"])
            for arguments in [#"{"a":"x"}"#, #"{"a":"y"}"#, "{}", "[]", #"{"a":1,"a":2}"#] {
                let error = try await gateway.ask("tools/call", #"{"name":"up_get","arguments":\#(arguments)}"#)?["error"]
                #expect(error == ["code": -32602, "message": "Unknown tool: up_get"])
            }
        }
    }

    @Test("an upstream that is away is named only to whom it may concern")
    func away() async throws {
        for (allow, isTold) in [("*", true), ("gone_*", true), ("@read", true), ("up_*", false)] {
            let stage = try Stage()
            var settings = try settings(stage, allow: [allow])
            settings.upstreams.append(stage.absentUpstream("gone"))
            settings.virtualServers[0].tools.append(
                ToolSelection(pattern: UpstreamPattern(upstream: "gone", glob: "get", position: Stage.position)))
            try await stage.run(settings) { gateway async throws in
                let error = try await gateway.ask("tools/call", #"{"name":"gone_get"}"#)?["error"]
                #expect(error?["code"] == (isTold ? -32603 : -32602), "\(allow)")
            }
        }
    }

    @Test("policy beats what a role allows, and explain says so")
    func explained() async throws {
        let stage = try Stage()
        let settings = try settings(stage, allow: ["*"], policy: ["up.list"])
        try await stage.run(settings) { gateway async throws in
            #expect(try await gateway.toolNames() == ["up_get"])
            let refused = try #require(gateway.explain("team", .anonymous, "up_list", arguments: [:]))
            #expect(refused.decision == Decision(.denied, by: RuleReference(text: "up.list", position: Stage.position)))
            #expect(refused.steps.map { "\($0.effect) \($0.rule.text) \($0.applies)" } == ["deny up.list true", "allow * true"])
            #expect(gateway.explain("team", .anonymous, "up_get", arguments: [:])?.decision?.role == "r")
        }
    }
}
