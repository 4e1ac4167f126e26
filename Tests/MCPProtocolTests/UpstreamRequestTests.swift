import JSON
import Testing

@testable import MCPProtocol

@Suite("Requests to upstreams")
struct UpstreamRequestTests {
    @Test("a legacy request without extras has no `_meta`")
    func bareLegacy() {
        let text = String(decoding: UpstreamRequest("tools/list").bytes(id: 3, era: .legacy), as: UTF8.self)
        #expect(text == #"{"jsonrpc":"2.0","id":3,"method":"tools/list","params":{}}"#)
    }

    @Test("a legacy request carries no modern metadata, only what passes through and the progress token")
    func legacy() throws {
        let params = try tree(full.bytes(id: 3, era: .legacy))["params"]
        #expect(params == ["name": "n", "arguments": [:], "_meta": ["a/b": 1, "progressToken": 3]])
    }

    @Test("a modern request says version, client and capabilities")
    func modern() throws {
        let meta = try tree(UpstreamRequest("tools/list").bytes(id: 1, era: .modern))["params"]?["_meta"]
        #expect(meta?[MetaKey.protocolVersion] == "2026-07-28")
        #expect(meta?[MetaKey.clientInfo]?["name"] == .string(Product.name))
        #expect(meta?[MetaKey.clientCapabilities] == [:])
        #expect(meta?[MetaKey.logLevel] == nil)
        #expect(meta?["progressToken"] == nil)
    }

    @Test("a modern request carries the real client's capabilities and log level, and what passes through")
    func modernFull() throws {
        let params = try tree(full.bytes(id: 4, era: .modern))["params"]
        #expect(params?["name"] == "n")
        #expect(params?["_meta"]?["a/b"] == 1)
        #expect(params?["_meta"]?["progressToken"] == 4)
        #expect(params?["_meta"]?[MetaKey.clientCapabilities] == ["roots": [:]])
        #expect(params?["_meta"]?[MetaKey.logLevel] == "warning")
    }

    @Test("every combination of parts is JSON, in both eras", arguments: 0..<16)
    func combinations(bits: Int) throws {
        for era in [Era.legacy, .modern] {
            var request = UpstreamRequest("weird \" method\n")
            if bits & 1 != 0 { request.members = bytes(#""name":"n""#) }
            if bits & 2 != 0 { request.meta = bytes(#""a/b":1"#) }
            if bits & 4 != 0 { request.wantsProgress = true }
            if bits & 8 != 0 { request.logLevel = .debug }
            let scanned = try Message(scanning: request.bytes(id: 8, era: era))
            #expect(scanned.kind == .request)
            #expect(scanned.methodText == "weird \" method\n")
            #expect((scanned.params.name != nil) == (bits & 1 != 0))
            #expect((scanned.params.meta?.progressToken != nil) == (bits & 4 != 0))
            #expect((scanned.params.meta?.protocolVersion != nil) == (era == .modern))
        }
    }

    private var full: UpstreamRequest {
        var request = UpstreamRequest("tools/call", members: bytes(#""name":"n","arguments":{}"#))
        request.meta = bytes(#""a/b":1"#)
        request.wantsProgress = true
        request.logLevel = .warning
        request.clientCapabilities = bytes(#"{"roots":{}}"#)
        return request
    }
}
