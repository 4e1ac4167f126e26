import JSON
import MCPProtocol
import Testing

@testable import VirtualServers

@Suite("Arguments of calls")
struct ArgumentShapingTests {
    static let rules = [
        rule("repo", fixed: "acme/web"), rule("draft", default: true), rule("base", allow: ["main", "dev", 1]), rule("token", hidden: true),
        rule("secret", default: "s", hidden: true),
    ]

    static let accepted: [(String?, String)] = [
        (nil, #"{"repo":"acme/web","draft":true,"secret":"s"}"#),
        ("null", #"{"repo":"acme/web","draft":true,"secret":"s"}"#),
        ("{}", #"{"repo":"acme/web","draft":true,"secret":"s"}"#),
        (" { } ", #"{"repo":"acme/web","draft":true,"secret":"s"}"#),
        (#"{"draft":false}"#, #"{"draft":false,"repo":"acme/web","secret":"s"}"#),
        (#"{"draft":null}"#, #"{"draft":null,"repo":"acme/web","secret":"s"}"#),
        (#"{"\u0064raft":false}"#, #"{"\u0064raft":false,"repo":"acme/web","secret":"s"}"#),
        (#"{"base":"main"}"#, #"{"base":"main","repo":"acme/web","draft":true,"secret":"s"}"#),
        (#"{"base":"\u006dain"}"#, #"{"base":"\u006dain","repo":"acme/web","draft":true,"secret":"s"}"#),
        (#"{"base":1.0}"#, #"{"base":1.0,"repo":"acme/web","draft":true,"secret":"s"}"#),
        (#"{"base":10e-1}"#, #"{"base":10e-1,"repo":"acme/web","draft":true,"secret":"s"}"#),
        (
            #"{ "z" : [ 1.0, 1e3 , {"repo":"deep","repo":2} ] ,"é":"\u00e9","n":123456789012345678901234567890}"#,
            #"{"z" : [ 1.0, 1e3 , {"repo":"deep","repo":2} ],"é":"\u00e9","n":123456789012345678901234567890,"#
                + #""repo":"acme/web","draft":true,"secret":"s"}"#
        ),
    ]

    @Test("what no rule concerns is copied byte for byte, fixed and default values are added", arguments: accepted)
    func accepts(arguments: String?, sent: String) throws {
        #expect(try apply(Self.rules, to: arguments) == sent)
    }

    static let refused: [(String, String)] = [
        (#"{"repo":"acme/web"}"#, "`repo` is not an argument of this tool"), (#"{"\u0072epo":"evil"}"#, "`repo` is not an argument of this tool"),
        (#"{"repo":null}"#, "`repo` is not an argument of this tool"), (#"{"token":"t"}"#, "`token` is not an argument of this tool"),
        (#"{"tok\u0065n":null}"#, "`token` is not an argument of this tool"), (#"{"secret":"x"}"#, "`secret` is not an argument of this tool"),
        (#"{"base":"prod"}"#, #"`base` must be one of "main", "dev", 1"#), (#"{"base":"1"}"#, "must be one of"),
        (#"{"base":true}"#, "must be one of"),
        (#"{"base":null}"#, "must be one of"), (#"{"base":["main"]}"#, "must be one of"), (#"{"base":{"main":1}}"#, "must be one of"),
        (#"{"base":"Main"}"#, "must be one of"), (#"{"base":"main "}"#, "must be one of"), (#"{"base":1.0000001}"#, "must be one of"),
        (#"{"\u0062ase":"prod"}"#, "must be one of"), (#"{"base":"main","base":"prod"}"#, "twice"), (#"{"base":"main","\u0062ase":"prod"}"#, "twice"),
        (#"{"x":1,"x":2}"#, "twice"), (#"{"x":1,"\u0078":2}"#, "twice"), ("[]", "must be an object"), ("\"repo\"", "must be an object"),
        ("5", "must be an object"), ("true", "must be an object"),
    ]

    @Test("what a rule forbids is refused with −32602, however it is spelt", arguments: refused)
    func refuses(arguments: String, reason: String) {
        #expect {
            try apply(Self.rules, to: arguments)
        } throws: { error in
            guard let error = error as? ProtocolError else { return false }
            return error.code == .invalidParams && error.message.contains(reason)
        }
    }

    static let meanings: [(String, String, Bool)] = [
        ("1", "1.0", true), ("1", "1e0", true), ("100", "1E2", true), ("0", "-0", true), ("1", "\"1\"", false), ("1", "true", false),
        ("9007199254740993", "9007199254740992", false), ("10000000000000001", "10000000000000000", false),
        ("10000000000000001", "10000000000000001.0", true), ("10000000000000001", "1.0000000000000001e16", true), ("1e400", "1e401", false),
        ("1e400", "10e399", true), ("0.1", "0.10", true),
        ("0.1", "0.1000000000000000055511151231257827", false), ("null", "null", true), ("null", "0", false),
        ("\"a\"", "\"a\"", true),
        ("\"K\"", "\"\u{212A}\"", false), ("\"é\"", "\"e\u{301}\"", false), ("[1,2]", "[1.0,2]", true), ("[1,2]", "[2,1]", false),
        ("[1]", "[1,1]", false),
        (#"{"a":1,"b":2}"#, #"{"b":2,"a":1.0}"#, true), (#"{"a":1}"#, #"{"a":2}"#, false), (#"{"a":1}"#, #"{"b":1}"#, false), ("{}", "[]", false),
    ]

    @Test("values are equal when they mean the same", arguments: meanings)
    func means(a: String, b: String, isSame: Bool) throws {
        #expect(try tree(a).means(try tree(b)) == isSame)
        #expect(try tree(b).means(try tree(a)) == isSame)
    }

    @Test(
        "a number is allowed by its exact value, however it is spelt, and sent as it was spelt",
        arguments: [
            ("1", true), ("1.0", true), ("1e0", true), ("0.1E+1", true), ("10000000000000001", true), ("1.0000000000000001E16", true),
            ("10000000000000000", false), ("1e16", false), ("10000000000000002", false), ("1.00000000000000000001", false), ("-1", false),
            ("1e99999999999999999999", false),
        ])
    func exact(number: String, isAllowed: Bool) throws {
        let rules = [rule("n", allow: [.number("1"), .number("10000000000000001")])]
        guard isAllowed else {
            #expect(throws: ProtocolError.self) { try apply(rules, to: #"{"n":\#(number)}"#) }
            return
        }
        #expect(try apply(rules, to: #"{"n":\#(number)}"#) == #"{"n":\#(number)}"#)
    }

    @Test("an upstream that takes canonical equivalents apart is not given what is not allowed")
    func kelvin() {
        #expect(throws: ProtocolError.self) { try apply([rule("unit", allow: ["K"])], to: "{\"unit\":\"\u{212A}\"}") }
    }

    @Test("arguments as deep as the configuration lets in are shaped")
    func deep() throws {
        let inner = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
        #expect(try apply([rule("a", fixed: 1)], to: "{\"x\":\(inner)}") == "{\"x\":\(inner),\"a\":1}")
        let value = try JSONValue(parsing: Array(inner.utf8), depthMax: 512)
        #expect(try apply([rule("x", allow: [value])], to: "{\"x\":\(inner)}") == "{\"x\":\(inner)}")
    }

    private func apply(_ rules: [ArgumentRule], to arguments: String?) throws -> String {
        let members = #""name":"t""# + (arguments.map { ",\"arguments\":\($0)" } ?? "")
        let text = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{\#(members)}}"#
        let message = try Message(scanning: Array(text.utf8), depthMax: 512)
        return String(decoding: try ArgumentShaping(rules).apply(to: message.params.arguments, of: message), as: UTF8.self)
    }
}
