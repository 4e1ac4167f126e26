import Audit
import Foundation
import JSON
import MCPProtocol
import Testing
import Transport
import VirtualServers

@testable import Configuration
@testable import Gateway

@Suite("The audit of calls")
struct GatewayAuditTests {
    /// The events that a gateway wrote while the body ran.
    private func events(
        _ stage: Stage, values: AuditSettings.Values = .digest, _ body: @escaping @Sendable (Gateway) async throws -> Void
    ) async throws -> [JSONValue] {
        let path = stage.folder + "/audit.jsonl"
        let rules = [ArgumentRule(name: "a", fixed: "pinned", position: Stage.position)]
        let settings = stage.settings(
            [stage.upstream("up", tools: ["get", "crash"]), stage.upstream("slow", tools: ["silent"], timeout: .milliseconds(50))],
            select: ["up.get", "up.crash", "slow.silent"], rules: rules,
            audit: AuditSettings(.file(path), values: values, position: Stage.position))
        try await stage.run(settings) { gateway async throws in
            try gateway.openAudit()
            // Both have to be there, so that none is missing from the list.
            _ = await gateway.connect(as: .anonymous)
            try await body(gateway)
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    }

    @Test("each way in which a call can end is one event with its outcome")
    func outcomes() async throws {
        let stage = try Stage()
        let events = try await events(stage) { gateway async throws in
            for params in [
                #"{"name":"up_get","arguments":{"z":1}}"#, #"{"name":"up_none"}"#, #"{"name":"up_get","arguments":{"a":1}}"#, #"{"name":5}"#,
                #"{"name":"slow_silent"}"#, #"{"name":"up_crash"}"#,
            ] { _ = try await gateway.ask("tools/call", params) }
            let cancellation = Cancellation()
            cancellation.cancel()
            _ = try await gateway.ask("tools/call", #"{"name":"slow_silent"}"#, cancellation: cancellation)
            _ = try await gateway.ask("tools/list")
        }
        #expect(events.map { $0["outcome"] } == ["allowed", "unknown_tool", "invalid", "invalid", "failed", "failed", "cancelled"])
        #expect(events.map { $0["error"] } == [nil, nil, nil, nil, "timed_out", "broken", nil])
        let first = try #require(events.first)
        #expect(first["upstream"] == "up" && first["upstream_tool"] == "get" && first["virtual_server"] == "team" && first["tool"] == "up_get")
        #expect(first["rule"] == "access: everyone" && first["caller"] == "anonymous")
        #expect(events.allSatisfy { $0["duration_ms"] != nil })
    }

    @Test("the error id is the one that the caller was told")
    func errorID() async throws {
        let stage = try Stage()
        let events = try await events(stage) { gateway async throws in
            let message = try await gateway.ask("tools/call", #"{"name":"slow_silent"}"#)?["error"]?["message"]?.string
            try Data((message ?? "").utf8).write(to: URL(fileURLWithPath: stage.folder + "/message"))
        }
        let told = try String(contentsOfFile: stage.folder + "/message", encoding: .utf8)
        let id = try #require(events.first?["error_id"]?.string)
        #expect(told.contains("(error id \(id))"))
    }

    @Test("a value for an argument that is not the caller's to set is not written down, though it was refused")
    func concealed() async throws {
        let stage = try Stage()
        let events = try await events(stage, values: .full) { gateway async throws in
            _ = try await gateway.ask("tools/call", #"{"name":"up_get","arguments":{"a":"canary","z":"shown"}}"#)
        }
        #expect(events.first?["arguments"] == ["a": "‹secret›", "z": "shown"])
        #expect(events.first?["outcome"] == "invalid")
    }

    @Test("calls that can't be recorded are refused before the upstream hears of them, or served, as configured", arguments: [true, false])
    func unwritable(_ refuses: Bool) async throws {
        guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
        let stage = try Stage()
        let audit = AuditSettings(.file("/dev/full"), whenUnwritable: refuses ? .refuse : .serve, position: Stage.position)
        let settings = stage.settings([stage.upstream("up", tools: ["get"])], select: ["up.get"], audit: audit)
        try await stage.run(settings) { gateway async throws in
            try gateway.openAudit()
            #expect(gateway.readiness().isReady)
            #expect(try await gateway.ask("tools/call", #"{"name":"up_get"}"#)?["result"] != nil)
            await gateway.flushAudit()
            let answer = try await gateway.ask("tools/call", #"{"name":"up_get"}"#)
            #expect((answer?["error"]?["code"] == -32603) == refuses)
            #expect(answer?["error"]?["message"]?.string?.contains("error id") ?? false == refuses)
            let (isReady, report) = gateway.readiness()
            #expect(isReady == !refuses)
            #expect(report["audit"]?["state"] == "unwritable")
            #expect(report["audit"]?["reason"] == "No space left on device")
        }
    }

    @Test("a configuration whose audit can't be opened says where that is written")
    func unopened() async throws {
        let stage = try Stage()
        let audit = AuditSettings(.file(stage.folder + "/none/audit.jsonl"), position: Stage.position)
        try await stage.run(stage.settings([], select: [], audit: audit)) { gateway async throws in
            let error = #expect(throws: ConfigurationError.self) { try gateway.openAudit() }
            #expect(error?.description.hasPrefix("gateway.yaml:1:1: the audit can't be written: No such file or directory; ") ?? false)
        }
    }

    @Test("standard output is refused where it carries something else, also later")
    func standardOutput() async throws {
        let stage = try Stage()
        let settings = stage.settings([], select: [], audit: AuditSettings(.standardOutput, position: Stage.position))
        try await stage.run(settings) { gateway async throws in
            #expect(throws: ConfigurationError.self) { try gateway.openAudit(isStandardOutputTaken: true) }
        }
        try await stage.run(stage.settings([], select: [])) { gateway async throws in
            try gateway.openAudit(isStandardOutputTaken: true)
            #expect(throws: ConfigurationError.self) { _ = try gateway.freshAudit(for: settings) }
        }
    }

    @Test("whoever was turned away at the door is recorded")
    func turnedAway() async throws {
        let stage = try Stage()
        let events = try await events(stage) { gateway async throws in
            gateway.turnedAway(nil, from: "team", peer: "192.0.2.1", transport: .http, because: "invalid token: expired")
        }
        #expect(events.count == 1)
        #expect(events.first?["outcome"] == "unauthenticated" && events.first?["peer"] == "192.0.2.1")
        #expect(events.first?["error"] == "invalid token: expired" && events.first?["virtual_server"] == "team")
    }
}
