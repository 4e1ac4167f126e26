import MCPProtocol
import Network
import Testing

@testable import Transport

@Suite("Checks of modern requests")
struct ModernRequestTests {
    private static let version = #""io.modelcontextprotocol/protocolVersion":"2026-07-28""#
    private static let capabilities = #""io.modelcontextprotocol/clientCapabilities":{}"#
    private static let good = #""_meta":{\#(version),\#(capabilities)}"#

    static let bodies: [(String, Int?)] = [
        (good, nil), ("", -32602), (#""_meta":{}"#, -32602), (#""_meta":5"#, -32602), (#""_meta":null"#, -32602),
        (#""_meta":{\#(version)}"#, -32602), (#""_meta":{\#(capabilities)}"#, -32602),
        (#""_meta":{\#(version),"io.modelcontextprotocol/clientCapabilities":[]}"#, -32602),
        (#""_meta":{\#(version),"io.modelcontextprotocol/clientCapabilities":null}"#, -32602),
        (#""_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25",\#(capabilities)}"#, -32022),
        (#""_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01",\#(capabilities)}"#, -32022),
        (#""_meta":{"io.modelcontextprotocol/protocolVersion":"",\#(capabilities)}"#, -32022),
        (#""_meta":{\#(version),\#(capabilities),"io.modelcontextprotocol/logLevel":"warning"}"#, nil),
        (#""_meta":{\#(version),\#(capabilities),"io.modelcontextprotocol/logLevel":"loud"}"#, -32602),
        (#""name":5,\#(good)"#, -32602),
    ]

    @Test("the metadata must be whole", arguments: bodies)
    func metadata(params: String, code: Int?) throws {
        expect(code) { _ = try ModernRequest.check(try request("tools/call", params), headers: nil) }
    }

    private static let standard = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "get")]

    static let headers: [([(String, String)], Int?)] = [
        (standard, nil), (standard.map { ($0.0.uppercased(), $0.1) }, nil), (Array(standard.dropFirst()), -32020),
        (Array(standard.dropLast()), -32020),
        ([standard[0], standard[2]], -32020), ([standard[0], ("Mcp-Method", "tools/list"), standard[2]], -32020),
        ([standard[0], ("Mcp-Method", "TOOLS/CALL"), standard[2]], -32020), ([standard[0], standard[1], ("Mcp-Name", "Get")], -32020),
        ([standard[0], standard[1], ("Mcp-Name", "delete")], -32020), ([standard[0], standard[1], ("Mcp-Name", "=?base64?Z2V0?=")], nil),
        ([standard[0], standard[1], ("Mcp-Name", "=?base64?Z2V?=")], -32020), ([standard[0], standard[1], ("Mcp-Name", "")], -32020),
        ([("MCP-Protocol-Version", "2025-11-25"), standard[1], standard[2]], -32020), (standard + [standard[0]], -32020),
        (standard + [standard[1]], -32020), (standard + [standard[2]], -32020), (standard + [("Mcp-Name", "delete")], -32020), ([], -32020),
    ]

    @Test("headers and body must agree", arguments: headers)
    func agreement(fields: [(String, String)], code: Int?) throws {
        let fields = try TransportTests.headers(fields)
        expect(code) { _ = try ModernRequest.check(try request("tools/call", #""name":"get",\#(Self.good)"#), headers: fields) }
    }

    static let names: [(String, String, String?, Int?)] = [
        ("resources/read", #""uri":"file:///a""#, "file:///a", nil), ("resources/read", #""uri":"file:///a""#, "file:///b", -32020),
        ("resources/read", #""uri":"file:///a""#, nil, -32020), ("prompts/get", #""name":"ü""#, "=?base64?w7w=?=", nil),
        ("prompts/get", #""name":"p""#, nil, -32020), ("tools/list", "", nil, nil), ("x/unknown", #""name":"p""#, nil, nil),
    ]

    @Test("Mcp-Name stands for what the method names", arguments: names)
    func named(method: String, params: String, name: String?, code: Int?) throws {
        let fields = try TransportTests.headers(
            [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)] + (name.map { [("Mcp-Name", $0)] } ?? []))
        let params = [params, Self.good].filter { !$0.isEmpty }.joined(separator: ",")
        expect(code) { _ = try ModernRequest.check(try request(method, params), headers: fields) }
    }

    @Test("an unknown version is told from a mismatch: header and body agree, and we don't speak it")
    func unknownVersion() throws {
        let fields = try TransportTests.headers([("MCP-Protocol-Version", "2099-01-01"), ("Mcp-Method", "tools/list")])
        let params = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01",\#(Self.capabilities)}"#
        expect(-32022) { _ = try ModernRequest.check(try request("tools/list", params), headers: fields) }
    }

    @Test("capabilities and log level are read as they were sent")
    func values() throws {
        let level = #""io.modelcontextprotocol/logLevel":"error""#
        let meta = #""_meta":{\#(Self.version),"io.modelcontextprotocol/clientCapabilities":{ "roots": {} },\#(level)}"#
        let checked = try ModernRequest.check(try request("tools/list", meta), headers: nil)
        #expect(String(decoding: checked.capabilities, as: UTF8.self) == #"{ "roots": {} }"#)
        #expect(checked.logLevel == .error)
    }

    static let signs: [(String, String?, Bool)] = [
        (good, nil, true), (good, "2025-06-18", true), ("", nil, false), ("", "2025-11-25", false), ("", "2026-07-28", true),
        ("", "2099-01-01", true),
    ]

    @Test("any sign of the modern era counts", arguments: signs)
    func meant(params: String, header: String?, isModern: Bool) throws {
        #expect(ModernRequest.isMeant(by: try request("tools/list", params), header: header) == isModern)
    }

    private func request(_ method: String, _ params: String) throws -> Message {
        try message(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{\#(params)}}"#)
    }

    private func expect(_ code: Int?, _ body: () throws -> Void) {
        do {
            try body()
            #expect(code == nil)
        } catch {
            #expect((error as? ProtocolError)?.code.rawValue == code)
        }
    }
}
