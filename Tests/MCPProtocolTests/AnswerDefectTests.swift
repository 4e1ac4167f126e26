import JSON
import Testing

@testable import MCPProtocol

@Suite("Answers that are not what was asked for")
struct AnswerDefectTests {
    private func defect(_ result: String, _ method: MCPProtocol.Method, mayBeTask: Bool = false) throws -> String? {
        try message(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#).answerDefect(to: method, mayBeTask: mayBeTask)
    }

    @Test(
        "what the method's result must have is there",
        arguments: [
            (.callTool, #"{"content":[]}"#), (.callTool, #"{"content":[{"type":"text","text":"a"},{"type":"new"}],"isError":true,"x":1}"#),
            (.callTool, #"{"resultType":"complete","content":[],"structuredContent":5,"_meta":{}}"#), (.callTool, #"{"\u0063ontent":[]}"#),
            (.callTool, #"{"structuredContent":{"content":5}}"#),
            (.callTool, #"{"resultType":"task","taskId":"1"}"#), (.getPrompt, #"{"messages":[{"role":"user","content":{}}],"content":5}"#),
            (.readResource, #"{"contents":[{"uri":"a:b","text":""}]}"#), (.complete, #"{"completion":{"values":["a"],"total":1.0,"hasMore":false}}"#),
            (.listTools, "{}"),
        ] as [(MCPProtocol.Method, String)])
    func sound(method: MCPProtocol.Method, result: String) throws {
        #expect(try defect(result, method) == nil)
    }

    @Test(
        "what lacks it, or has it in another form, has a defect that quotes nothing",
        arguments: [
            (.callTool, "{}", "it has no `content`"), (.callTool, #"{"toolResult":"secret"}"#, "it has no `content`"),
            (.callTool, #"{"content":"secret"}"#, "its `content` is no array of objects with `type`"),
            (.callTool, #"{"content":["secret"]}"#, "its `content` is no array of objects with `type`"),
            (.callTool, #"{"content":[{"type":5}]}"#, "its `content` is no array of objects with `type`"),
            (.callTool, #"{"content":[{"type":"text"},{"text":"type"}]}"#, "its `content` is no array of objects with `type`"),
            (.callTool, #"{"content":[],"isError":"no"}"#, "its `isError` is neither true nor false"),
            (.callTool, #"{"content":[],"_meta":[]}"#, "its `_meta` is no object"),
            (.callTool, #"{"content":[],"resultType":"bogus"}"#, "its `resultType` is none that may be here"),
            (.callTool, #"{"task":{"taskId":"1"}}"#, "it has no `content`"),
            (.getPrompt, #"{"messages":[],"resultType":"task"}"#, "its `resultType` is none that may be here"),
            (.getPrompt, #"{"content":[]}"#, "it has no `messages`"),
            (.getPrompt, #"{"messages":{}}"#, "its `messages` is no array of objects with `role`"),
            (.readResource, "{}", "it has no `contents`"), (.readResource, #"{"contents":[{}]}"#, "its `contents` is no array of objects with `uri`"),
            (.complete, "{}", "its `completion` is no object"), (.complete, #"{"completion":{}}"#, "its `completion.values` are no strings"),
            (.complete, #"{"completion":{"values":[1]}}"#, "its `completion.values` are no strings"),
            (.complete, #"{"completion":{"values":[],"total":"3"}}"#, "its `completion.total` is no number"),
            (.complete, #"{"completion":{"values":[],"hasMore":1}}"#, "its `completion.hasMore` is neither true nor false"),
            (.complete, #"{"completion":{"values":[]},"resultType":"input_required"}"#, "its `resultType` is none that may be here"),
        ] as [(MCPProtocol.Method, String, String)])
    func unsound(method: MCPProtocol.Method, result: String, expected: String) throws {
        #expect(try defect(result, method) == expected)
    }

    @Test("a call that shall become a task may be answered with one")
    func tasks() throws {
        #expect(try defect(#"{"task":{"taskId":"1"}}"#, .callTool, mayBeTask: true) == nil)
        #expect(try defect(#"{"content":[]}"#, .callTool, mayBeTask: true) == nil)
        #expect(try defect(#"{"task":5}"#, .callTool, mayBeTask: true) == "it has no `content`")
    }

    @Test(
        "a member that decides may not stand there twice",
        arguments: ["content", "messages", "contents", "completion", "isError", "task", "cacheScope"])
    func twice(member: String) {
        #expect(throws: MessageError.self) { try message(#"{"jsonrpc":"2.0","id":1,"result":{"\#(member)":[],"\#(escaped(member))":[]}}"#) }
    }

    @Test(
        "only a hint in the right form is passed on as it is",
        arguments: [
            (#"{"ttlMs":5,"cacheScope":"private"}"#, true), (#"{"ttlMs":5,"cacheScope":"public"}"#, false), (#"{"ttlMs":5}"#, false),
            (#"{"ttlMs":5,"cacheScope":"bogus"}"#, false), (#"{"ttlMs":"5","cacheScope":"private"}"#, false), (#"{"ttlMs":5,"cacheScope":5}"#, false),
        ])
    func hints(result: String, isSaid: Bool) throws {
        let response = try message(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#)
        #expect(response.says(CacheHint(ttl: 5, isPrivate: true)) == isSaid)
        let reply = Reply(response, id: bytes("1"), era: .modern, hint: CacheHint(ttl: 7, isPrivate: true))
        #expect(try tree(reply.bytes)["result"]?["cacheScope"] == "private")
    }

    @Test("a negative time is none at all")
    func negative() throws {
        let response = try message(#"{"jsonrpc":"2.0","id":1,"result":{"ttlMs":-1,"cacheScope":"private"}}"#)
        #expect(response.cacheHint == CacheHint(ttl: 0, isPrivate: true) && !response.says(CacheHint(ttl: 0, isPrivate: true)))
    }
}
