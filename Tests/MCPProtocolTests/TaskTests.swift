import JSON
import Testing

@testable import MCPProtocol

private func tree(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

@Suite("Tasks")
struct TaskTests {
    private static let legacy = #"""
        {"taskId":"theirs-1","status":"working","createdAt":"c","lastUpdatedAt":"u","ttl":1000.5,"pollInterval":20,"x":1.0}
        """#
    private static let modern = #"""
        {"taskId":"theirs-1","status":"completed","createdAt":"c","lastUpdatedAt":"u","ttlMs":null,
         "result":{"content":[],"isError":true},"resultType":"complete","requestState":"s"}
        """#

    private func state(_ text: String, _ era: Era) throws -> TaskState { try #require(TaskState(try tree(text), era: era)) }

    @Test("in its own era a task keeps its words and what is not known, under the client's id")
    func sameEra() throws {
        #expect(
            try state(Self.legacy, .legacy).json(for: .legacy, id: "ours")
                == tree(Self.legacy.replacing("theirs-1", with: "ours")))
    }

    @Test("a legacy task in the modern form has whole milliseconds, by their modern names")
    func modernised() throws {
        let task = try state(Self.legacy, .legacy).json(for: .modern, id: "ours")
        #expect(task["ttlMs"] == 1001)
        #expect(task["pollIntervalMs"] == 20)
        #expect(task["ttl"] == nil && task["pollInterval"] == nil)
        #expect(task["taskId"] == "ours")
    }

    @Test("a modern task in the legacy form has no payload, and failed where its tool did")
    func legacied() throws {
        let task = try state(Self.modern, .modern).json(for: .legacy, id: "ours")
        #expect(task == ["taskId": "ours", "status": "failed", "createdAt": "c", "lastUpdatedAt": "u", "ttl": .null])
    }

    @Test("what belongs to a call that is tried again is not a task's")
    func requestState() throws { #expect(try state(Self.modern, .modern).json(for: .modern, id: "ours")["requestState"] == nil) }

    @Test("texts name the task as the client knows it, unless the upstream's id could be any word")
    func naming() throws {
        let error: JSONValue = ["code": 1, "message": "no theirs-1", "data": ["theirs-1"]]
        #expect(error.naming("ours", insteadOf: "theirs-1") == ["code": 1, "message": "no ours", "data": ["ours"]])
        let short: JSONValue = ["code": 1, "message": "no 1", "data": "1"]
        #expect(short.naming("ours", insteadOf: "1") == ["code": 1, "message": "no 1", "data": "ours"])
    }

    @Test(
        "what has no id, an overlong one, or no status that is known is no task",
        arguments: [
            #"{"status":"working"}"#, #"{"taskId":"","status":"working"}"#, #"{"taskId":"a","status":"resting"}"#, #"{"taskId":"a"}"#,
            #"{"taskId":"\#(String(repeating: "a", count: 513))","status":"working"}"#, "[]",
        ])
    func malformed(_ text: String) throws { #expect(TaskState(try tree(text), era: .modern) == nil) }

    @Test("a task is wished for in the words of the upstream's era")
    func wish() throws {
        var request = UpstreamRequest("tools/call", members: Array(#""name":"n""#.utf8))
        request.task = Array(#"{"ttl":1}"#.utf8)
        #expect(try tree(String(decoding: request.bytes(id: 1, era: .legacy), as: UTF8.self))["params"] == ["name": "n", "task": ["ttl": 1]])
        #expect(try tree(String(decoding: request.bytes(id: 1, era: .modern), as: UTF8.self))["params"]?["task"] == nil)
    }

    @Test("the extension joins the other capabilities of a client")
    func declared() throws {
        let capabilities = TaskExtension.declared(in: Array(#"{"roots":{},"extensions":{"a/b":{}}}"#.utf8))
        #expect(TaskExtension.isDeclared(in: capabilities))
        #expect(try JSONValue(parsing: capabilities)["extensions"]?["a/b"] == [:])
        #expect(!TaskExtension.isDeclared(in: Array(#"{"extensions":{"io.modelcontextprotocol/tasks":true}}"#.utf8)))
    }

    @Test("what an upstream that takes no tasks says of them is left out, and nothing requires a task of a client")
    func support() throws {
        let text = #"{"name":"n","inputSchema":{},"execution":{"taskSupport":"required","x":1}}"#
        let tool = try ToolDefinition(parsing: Array(text.utf8))
        #expect(tool.taskSupport == .required)
        #expect(tool.withOptionalTasks.taskSupport == .optional)
        #expect(tool.withoutTasks.json["execution"] == ["x": 1])
        let plain = try ToolDefinition(parsing: Array(#"{"name":"n","inputSchema":{}}"#.utf8))
        #expect(plain.withoutTasks == plain && plain.withOptionalTasks == plain && plain.taskSupport == .forbidden)
    }
}
