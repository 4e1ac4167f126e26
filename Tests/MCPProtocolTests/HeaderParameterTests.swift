import JSON
import Testing

@testable import MCPProtocol

@Suite("Header parameters")
struct HeaderParameterTests {
    static let encodings: [(String, String)] = [
        ("us-west1", "us-west1"), ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="), (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="), ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="), ("", ""),
        ("a b\tc", "a b\tc"), ("\ttab", "=?base64?CXRhYg==?="), ("\r\nX: 1", "=?base64?DQpYOiAx?="), ("=?BASE64?x?=", "=?BASE64?x?="),
        ("=?base64?", "=?base64?"), ("=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="), ("\u{7F}", "=?base64?fw==?="), ("42", "42"),
    ]

    @Test("values are encoded as the specification's table says, and come back", arguments: encodings)
    func encoding(text: String, header: String) {
        #expect(HeaderParameter.encode(text) == header)
        #expect(HeaderParameter.decode(header) == text)
    }

    @Test(
        "a malformed encoding has no value",
        arguments: [
            "=?base64?A?=", "=?base64?QQ?=", "=?base64?QQ=?=", "=?base64?Q Q==?=", "=?base64?_-8=?=", "=?base64?/w==?=", "ü", "a\u{1}",
            "=?base64?QR==?=",
        ])
    func malformed(header: String) {
        #expect(HeaderParameter.decode(header) == nil)
    }

    @Test("every byte in a value is safe in a header and comes back")
    func everyByte() {
        for code in UInt8(0)...127 {
            for text in ["\(Unicode.Scalar(code))", "a\(Unicode.Scalar(code))b"] {
                let header = HeaderParameter.encode(text)
                #expect(header.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 9 })
                #expect(HeaderParameter.decode(header) == text)
            }
        }
    }

    @Test("annotations are found along `properties`, with their paths")
    func found() throws {
        let schema = try tree(
            bytes(
                #"""
                {"type":"object","properties":{
                  "region":{"type":"string","x-mcp-header":"Region"},
                  "properties":{"type":"object","properties":{"deep":{"type":"integer","x-mcp-header":"Deep"}}},
                  "flag":{"type":"boolean","x-mcp-header":"fl4g_!"},
                  "plain":{"type":"string","default":{"x-mcp-header":"no"},"enum":[{"x-mcp-header":"no"}]}}}
                """#))
        let all = try HeaderParameter.all(in: schema)
        #expect(all.map(\.field) == ["Mcp-Param-Region", "Mcp-Param-Deep", "Mcp-Param-fl4g_!"])
        #expect(all.map(\.path) == [["region"], ["properties", "deep"], ["flag"]])
    }

    private static let good = #"{"type":"string","x-mcp-header":"H"}"#

    static let unusable: [String] = [
        #"{"x-mcp-header":"H","type":"string"}"#, #"{"properties":{"a":{"type":"array","items":\#(good)}}}"#,
        #"{"properties":{"a":{"type":"array","prefixItems":[\#(good)]}}}"#, #"{"oneOf":[{"properties":{"a":\#(good)}}]}"#,
        #"{"anyOf":[{"properties":{"a":\#(good)}}]}"#, #"{"allOf":[{"properties":{"a":\#(good)}}]}"#, #"{"not":{"properties":{"a":\#(good)}}}"#,
        #"{"if":{"properties":{"a":\#(good)}}}"#, #"{"then":{"properties":{"a":\#(good)}}}"#, #"{"else":{"properties":{"a":\#(good)}}}"#,
        #"{"$defs":{"a":\#(good)}}"#, #"{"definitions":{"a":{"properties":{"b":\#(good)}}}}"#, #"{"additionalProperties":\#(good)}"#,
        #"{"patternProperties":{".*":\#(good)}}"#, #"{"dependentSchemas":{"x":{"properties":{"a":\#(good)}}}}"#,
        #"{"properties":{"a":{"properties":{"b":{"items":\#(good)}}}}}"#, #"{"$defs":{"default":\#(good)}}"#,
        #"{"items":{"properties":{"enum":\#(good)}}}"#,
        #"{"properties":{"a":{"type":"number","x-mcp-header":"H"}}}"#, #"{"properties":{"a":{"type":"object","x-mcp-header":"H"}}}"#,
        #"{"properties":{"a":{"type":"array","x-mcp-header":"H"}}}"#, #"{"properties":{"a":{"x-mcp-header":"H"}}}"#,
        #"{"properties":{"a":{"type":["string","null"],"x-mcp-header":"H"}}}"#, #"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":"a b"}}}"#, #"{"properties":{"a":{"type":"string","x-mcp-header":"a:b"}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":"a\r\nb"}}}"#, #"{"properties":{"a":{"type":"string","x-mcp-header":"ü"}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":5}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":"H"},"b":{"type":"string","x-mcp-header":"h"}}}"#,
    ]

    @Test("an annotation at any other place, or of any other form, makes the tool unusable", arguments: unusable)
    func refuses(schema: String) throws {
        let schema = try tree(bytes(schema))
        #expect(throws: Unusable.self) { try HeaderParameter.all(in: schema) }
        #expect { try ToolDefinition(parsing: JSONValue.object([.init("name", "tool-7"), .init("inputSchema", schema)]).bytes) } throws: {
            ($0 as? Unusable)?.reason.contains("tool-7") == true
        }
    }

    @Test("an argument that is called like the annotation is no annotation")
    func lookAlike() throws {
        let schema = try tree(bytes(#"{"properties":{"x-mcp-header":{"type":"string"},"items":{"type":"string","x-mcp-header":"I"}}}"#))
        #expect(try HeaderParameter.all(in: schema).map(\.path) == [["items"]])
        let inner = try tree(bytes(#"{"properties":{"a":{"items":{"properties":{"x-mcp-header":{"type":"string"}}}}}}"#))
        #expect(try HeaderParameter.all(in: inner).isEmpty)
    }

    static let matches: [(String, String?, Bool)] = [
        (#""a""#, "a", true), (#""a""#, "A", false), (#""世""#, "=?base64?5LiW?=", true), (#""a""#, "=?base64?YQ==?=", true),
        (#""a""#, nil, false), (#""""#, "", true), ("true", "true", true), ("true", "false", false), ("true", "True", false),
        (#""true""#, "true", true), ("42", "42", true), ("42", "42.0", true), ("42.0", "42", true), ("42", "4.2e1", true), ("42", "43", false),
        ("42", "0x2A", false), ("42", " 42", false), ("42", "+42", false), ("42", "042", false), ("42", "", false), ("0", "nan", false),
        ("9007199254740993", "9007199254740992", false), ("9007199254740993", "9007199254740993", true), ("null", nil, true),
        ("null", "null", false), ("[1]", nil, true), ("{}", nil, true), ("[1]", "1", false),
    ]

    @Test("a header matches when it says what the argument says", arguments: matches)
    func matching(value: String, header: String?, isMatch: Bool) throws {
        let parameter = HeaderParameter(field: "Mcp-Param-A", path: ["o", "a"])
        #expect(parameter.matches(header, in: ["o": ["a": try tree(bytes(value))]]) == isMatch)
    }

    @Test("a header for an argument that is not there does not match, and none is expected")
    func missing() {
        let parameter = HeaderParameter(field: "Mcp-Param-A", path: ["o", "a"])
        for arguments in [[:], ["o": [:]], ["o": 1], ["o": [["a": 1]]], ["a": "x"]] as [JSONValue] {
            #expect(parameter.matches(nil, in: arguments))
            #expect(!parameter.matches("x", in: arguments))
            #expect(parameter.value(in: arguments) == nil)
        }
    }

    static let values: [(String, String?)] = [
        (#""a""#, "a"), (#"" a""#, "=?base64?IGE=?="), ("true", "true"), ("false", "false"), ("-7", "-7"), ("1e3", "1000"), ("42.0", "42"),
        ("null", nil), ("[]", nil), ("{}", nil),
    ]

    @Test("an argument's header is its text, in decimal for integers", arguments: values)
    func writes(value: String, header: String?) throws {
        #expect(HeaderParameter(field: "F", path: ["a"]).value(in: ["a": try tree(bytes(value))]) == header)
    }
}
