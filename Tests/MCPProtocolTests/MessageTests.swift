import JSON
import Testing

@testable import MCPProtocol

@Suite("Messages")
struct MessageTests {
    static let kinds: [(String, Message.Kind, String?)] = [
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, .request, "1"),
        (#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#, .request, #""1""#),
        (#"{"method":"ping","id":-7,"jsonrpc":"2.0"}"#, .request, "-7"),
        (#"{"\u006asonrpc":"2.0","\u0069d":"\u0061","method":"ping"}"#, .request, #""\u0061""#),
        (#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, .notification, nil),
        (#" { "jsonrpc" : "2.0" , "id" : 123456789012345678901234567890 , "result" : { } } "#, .result, "123456789012345678901234567890"),
        (#"{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no"}}"#, .error, "2"),
        (#"{"jsonrpc":"2.0","id":null,"error":{}}"#, .error, nil),
        (#"{"jsonrpc":"2.0","error":{}}"#, .error, nil),
    ]

    @Test("every kind of message is told apart", arguments: kinds)
    func tellsApart(text: String, kind: Message.Kind, id: String?) throws {
        let message = try message(text)
        #expect(message.kind == kind)
        #expect(message.idText == id)
    }

    static let mistakes: [(String, Int, String?)] = [
        ("", -32700, nil), ("{", -32700, nil), ("nonsense", -32700, nil), ("[]", -32600, nil), ("\"x\"", -32600, nil), ("{\"a\"}", -32700, nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, -32700, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"arguments":{"a":01}}}"#, -32700, "1"),
        ("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\",\"params\":{\"name\":\"\u{1}\"}}", -32700, #""a""#),
        (#"{"id":7,"method":"ping"}"#, -32600, "7"),
        (#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, -32600, "7"),
        (#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":1e3,"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":1}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":null}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"result":[]}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"result":null}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":1,"error":"no"}"#, -32600, "1"),
        (#"{"jsonrpc":"2.0","id":null,"result":{}}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","result":{}}"#, -32600, nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}}"#, -32602, "1"),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/logLevel":1}}}"#, -32602, "1"),
    ]

    @Test("a mistake has its code, and the id where that stood before it", arguments: mistakes)
    func refuses(text: String, code: Int, id: String?) {
        expectRefusal(of: text, code: code, id: id)
    }

    static let envelope: [(String, String)] = [("jsonrpc", "\"2.0\""), ("id", "1"), ("method", "\"ping\""), ("params", "{}")]
    static let params: [(String, String)] = [
        ("name", "\"a\""), ("arguments", "{}"), ("_meta", "{}"), ("uri", "\"a\""), ("cursor", "\"a\""), ("cursor", "null"), ("requestId", "1"),
        ("progressToken", "1"), ("level", "\"info\""), ("protocolVersion", "\"a\""), ("capabilities", "{}"), ("clientInfo", "{}"),
        ("notifications", "{}"),
    ]
    static let meta: [(String, String)] = [
        (MetaKey.protocolVersion, "\"a\""), (MetaKey.clientInfo, "{}"), (MetaKey.clientCapabilities, "{}"), (MetaKey.logLevel, "\"info\""),
        ("progressToken", "1"),
    ]

    @Test("a batch is refused as one", arguments: ["[]", " [{}]", "\n[1, [2]]"])
    func batch(_ text: String) {
        #expect { try Message(scanning: Array(text.utf8)) } throws: {
            ($0 as? MessageError)?.error.message == "Invalid request: batches are not supported here"
        }
    }

    @Test("a member of the envelope that stands there twice is refused, however it is escaped", arguments: envelope)
    func envelopeDuplicates(key: String, value: String) {
        for spelling in [key, escaped(key)] {
            let rest = Self.envelope.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
            expectRefusal(of: "{\(rest),\"\(spelling)\":\(value)}", code: -32600, id: "1")
        }
    }

    @Test("`jsonrpc` is refused twice also when the first is wrong")
    func versionTwice() {
        expectRefusal(of: #"{"jsonrpc":"1.0","jsonrpc":"2.0","id":1,"method":"ping"}"#, code: -32600, id: nil)
    }

    @Test("a member of a response that stands there twice is refused", arguments: ["result", "error"])
    func responseDuplicates(key: String) {
        for spelling in [key, escaped(key)] {
            expectRefusal(of: "{\"jsonrpc\":\"2.0\",\"id\":1,\"\(key)\":{},\"\(spelling)\":{}}", code: -32600, id: "1")
        }
    }

    @Test("a parameter that the gateway looks at is refused twice, however it is escaped", arguments: params)
    func paramsDuplicates(key: String, value: String) {
        for spelling in [key, escaped(key)] {
            expectRefusal(
                of: #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"\#(key)":\#(value),"x":0,"\#(spelling)":\#(value)}}"#, code: -32602, id: "1")
        }
    }

    @Test("a member of `_meta` that the gateway looks at is refused twice, however it is escaped", arguments: meta)
    func metaDuplicates(key: String, value: String) {
        for spelling in [key, escaped(key)] {
            expectRefusal(
                of: #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"\#(key)":\#(value),"\#(spelling)":\#(value)}}}"#, code: -32602,
                id: "1")
        }
    }

    @Test(
        "a parameter of the wrong kind is a defect, not an unreadable message",
        arguments: ["name", "uri", "level", "protocolVersion", "cursor", "_meta", "requestState", "inputResponses"])
    func defects(key: String) throws {
        let message = try message(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"\#(key)":5}}"#)
        #expect(message.params.defect?.contains(key) == true)
    }

    @Test("what the gateway does not know keeps its bytes")
    func others() throws {
        let params = #"{"else" : "x","name":"n","_meta":{"a/b":[1.0],"progressToken":"t"},"z":null}"#
        let message = try message(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#)
        #expect(message.params.others.map { String(decoding: message.slice($0), as: UTF8.self) } == [#""else" : "x""#, #""z":null"#])
        #expect(message.params.meta?.others.map { String(decoding: message.slice($0), as: UTF8.self) } == [#""a/b":[1.0]"#])
        #expect(message.params.range.map { String(decoding: message.slice($0), as: UTF8.self) } == params)
        #expect(message.text(message.params.name) == "n")
        #expect(message.params.meta?.progressToken.map(message.value) == "t")
    }

    @Test("every known method is recognised, others keep their name", arguments: MCPProtocol.Method.allCases)
    func methods(method: MCPProtocol.Method) throws {
        #expect(try message(#"{"jsonrpc":"2.0","method":"\#(method.rawValue)"}"#).method == method)
        let unknown = try message(#"{"jsonrpc":"2.0","method":"\#(method.rawValue)x"}"#)
        #expect(unknown.method == nil)
        #expect(unknown.methodText == method.rawValue + "x")
    }

    @Test("nesting is limited as told")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            let inner = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return bytes(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"arguments":\#(inner)}}"#)
        }
        _ = try Message(scanning: nested(6), depthMax: 8)
        #expect { try Message(scanning: nested(7), depthMax: 8) } throws: { ($0 as? MessageError)?.error.code == .parse }
    }

    @Test("a deep value that was let in can be read")
    func deepValue() throws {
        let inner = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
        let message = try Message(scanning: bytes(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"arguments":\#(inner)}}"#), depthMax: 512)
        #expect(message.params.arguments.map(message.value)?.array?.count == 1)
    }

    private func expectRefusal(of text: String, code: Int, id: String?) {
        do {
            _ = try message(text)
            Issue.record("accepted \(text)")
        } catch let error as MessageError {
            #expect(error.error.code.rawValue == code, "\(text): \(error.error.message)")
            #expect(error.id.map { String(decoding: $0, as: UTF8.self) } == id, "\(text)")
            #expect(!error.error.message.isEmpty)
        } catch {
            Issue.record("\(error)")
        }
    }
}
