import JSON
import Testing

@testable import MCPProtocol

@Suite("Questions to clients")
struct QuestionWordingTests {
    private func elicitation(_ params: JSONValue) throws -> Question { try #require(Question(key: "k", method: .elicit, params: params)) }

    private func elicitation(asking properties: JSONValue) throws -> Question {
        let params: JSONValue = ["message": "m", "requestedSchema": ["type": "object", "properties": properties, "required": []]]
        return try elicitation(params)
    }

    @Test(
        "a text for a person says who asks and holds no control characters",
        arguments: [
            ("Name?", "up: Name?"), ("a\nb\tc", "up: a b c"), ("\u{1B}[31mred\u{9B}0m", "up: [31mred0m"), ("\u{202E}evil\u{202C}", "up: evil"),
            ("a\u{2066}b\u{2069}\u{200F}\u{061C}c", "up: abc"), ("x\u{2028}y\u{0}", "up: x y"), ("naïve 漢字 🧑‍🚀", "up: naïve 漢字 🧑‍🚀"),
        ])
    func wording(text: String, expected: String) throws {
        #expect(try elicitation(["message": .string(text)]).worded(by: "up").params["message"] == .string(expected))
    }

    @Test(
        "joiners and variation selectors stay where a script or an emoji needs them, and nowhere else",
        arguments: [
            ("می\u{200C}خواهم", "می\u{200C}خواهم"), ("क\u{94D}\u{200D}ष", "क\u{94D}\u{200D}ष"), ("👩\u{200D}💻❤️\u{200D}🔥", "👩\u{200D}💻❤️\u{200D}🔥"),
            ("pay\u{200D}pal", "paypal"), ("a\u{200C}", "a"), ("\u{200D}ک", "ک"), ("ک\u{200D}\u{200D}ک", "کک"), ("1\u{200D}2", "12"),
            ("1\u{FE0F}\u{20E3} ❤\u{FE0F} ☎\u{FE0E}", "1\u{FE0F}\u{20E3} ❤\u{FE0F} ☎\u{FE0E}"), ("a\u{FE0F}\u{FE00}b", "ab"),
            ("❤\u{FE0F}\u{FE0F}\u{FE0E}", "❤\u{FE0F}"), ("ᠠ\u{180B}ᠠ", "ᠠ\u{180B}ᠠ"), ("a\u{180B}", "a"), ("葛\u{E0100}", "葛"),
            ("\u{FE0F}", ""),
        ])
    func joiners(text: String, expected: String) {
        #expect(text.onOneLine == expected)
        #expect(text.inPlainLines == expected)
        #expect(text.hasHidden == (text != expected))
    }

    @Test(
        "what is not seen is not shown",
        arguments: [
            0, 0x1B, 0x7F, 0x9B, 0xAD, 0x061C, 0x200B, 0x200E, 0x202A, 0x202E, 0x2060, 0x2064, 0x2066, 0x2069, 0xFEFF, 0xE0000, 0xE0041, 0xE007F,
            0xE0100, 0xE01EF, 0x13430, 0x13438, 0x1BCA0, 0x1BCA3, 0x1D173, 0x1D17A, 0x180F, 0xFFF0,
        ])
    func hidden(value: UInt32) throws {
        let text = "a\(Character(try #require(Unicode.Scalar(value))))b"
        #expect(text.onOneLine == "ab" && text.inPlainLines == "ab" && text.hasHidden)
    }

    @Test("whatever Unicode counts as format is not shown, but signs that stand before numbers and verses, and joiners in their place")
    func formats() {
        let seen: [ClosedRange<UInt32>] = [0x0600...0x0605, 0x06DD...0x06DD, 0x070F...0x070F, 0x0890...0x0891, 0x08E2...0x08E2]
        let formats = (UInt32(0)...0x10FFFF).lazy.compactMap(Unicode.Scalar.init).filter { $0.properties.generalCategory == .format }
        for scalar in formats where !seen.contains(where: { $0.contains(scalar.value) }) && ![0x110BD, 0x110CD].contains(scalar.value) {
            #expect("a\(Character(scalar))b".hasHidden, "U+\(String(scalar.value, radix: 16))")
        }
    }

    @Test("of a question only what the protocol knows reaches a client, with nothing hidden in its metadata and key")
    func unknownMembers() throws {
        let question = try elicitation([
            "message": "m", "requestedSchema": [:], "task": ["ttl": 1], "text\u{E0041}": "x", "note": "\u{1B}[0m", "url": "https://a",
            "_meta": ["a\u{200B}": 1, "b": ["c": ["x\u{7}\n", 5]], "progressToken": 1],
        ])
        let expected: JSONValue = [
            "_meta": ["b": ["c": ["x\n", 5]]], "message": "up: m", "requestedSchema": ["type": "object", "properties": [:]],
        ]
        let shown = question.worded(by: "up").params
        #expect(Set((shown.members ?? []).map(\.key)) == ["_meta", "message", "requestedSchema"])
        for name in ["_meta", "message", "requestedSchema"] { #expect(shown[name] == expected[name]) }
        let hidden = try #require(Question(key: "q\u{1B}", method: .listRoots, params: [:]))
        #expect(hidden.defect?.contains("key") == true)
    }

    @Test("titles in a form are plain, names and values stay as they are")
    func titles() throws {
        let property: JSONValue = [
            "type": "string", "title": "T\u{202E}\n", "description": "D\u{7}", "enum": ["v", "w x"], "enumNames": ["N\u{8}", "O"],
            "default": "v\u{200B}",
        ]
        let form = try elicitation(asking: ["a": property, "title": ["type": "array", "default": ["x\u{FEFF}"]]])
        #expect(form.defect == nil)
        let shown = form.worded(by: "up").params["requestedSchema"]?["properties"]
        let expected: JSONValue = [
            "type": "string", "title": "T ", "description": "D", "enum": ["v", "w x"], "enumNames": ["N", "O"], "default": "v",
        ]
        #expect(shown?["a"] == expected)
        #expect(shown?["title"] == ["type": "array", "default": ["x"]])
    }

    @Test(
        "a form whose names or values hide something is refused: they come back as they are",
        arguments: [
            #"{"a\u202e":{"type":"string"}}"#, #"{"a":{"type":"string","enum":["x","y\u200b"]}}"#,
            #"{"a":{"oneOf":[{"const":"x\u0007","title":"X"}]}}"#,
            #"{"a":{"type":"array","items":{"anyOf":[{"const":"x\n","title":"X"}]}}}"#, #"{"enum":{"enum":["\udb40\udc41"]}}"#,
            #"{"a":{"title":{"enum":["\u2060"]}}}"#, #"{"a":{"descriptio\u200dn":"x"}}"#,
        ])
    func hiddenNames(properties: String) throws {
        #expect(try elicitation(asking: tree(bytes(properties))).defect?.contains("nobody sees") == true)
    }

    @Test("a form may say nothing of its type and ask for nothing")
    func emptyForm() throws {
        let form = try elicitation(["message": "m", "requestedSchema": [:]])
        #expect(form.defect == nil)
        #expect(form.worded(by: "up").params == ["message": "up: m", "requestedSchema": ["type": "object", "properties": [:]]])
    }

    @Test(
        "a question in another form than the protocol's has a defect",
        arguments: [
            (.elicit, "{}"), (.elicit, #"{"message":5,"requestedSchema":{}}"#), (.elicit, #"{"message":"m"}"#),
            (.elicit, #"{"message":"m","requestedSchema":[]}"#), (.elicit, #"{"message":"m","requestedSchema":{"type":"array"}}"#),
            (.elicit, #"{"message":"m","requestedSchema":{"properties":[]}}"#),
            (.elicit, #"{"message":"m","requestedSchema":{"properties":{"a":5}}}"#),
            (.elicit, #"{"message":"m","requestedSchema":{"required":"a"}}"#), (.elicit, #"{"mode":"other","message":"m","requestedSchema":{}}"#),
            (.elicit, #"{"_meta":5,"message":"m","requestedSchema":{}}"#), (.elicit, #"{"mode":"url","message":"m"}"#),
            (.sample, #"{"maxTokens":5}"#),
            (.sample, #"{"messages":[5],"maxTokens":5}"#), (.sample, #"{"messages":[{"role":"user"}],"maxTokens":5}"#),
            (.sample, #"{"messages":[{"role":"system","content":{"type":"text"}}],"maxTokens":5}"#),
            (.sample, #"{"messages":[{"role":"user","content":[5]}],"maxTokens":5}"#), (.sample, #"{"messages":[]}"#),
            (.sample, #"{"messages":[],"maxTokens":5,"systemPrompt":[]}"#), (.sample, #"{"messages":[],"maxTokens":5,"toolChoice":"auto"}"#),
            (.sample, #"{"messages":[],"maxTokens":5,"stopSequences":[1]}"#), (.sample, #"{"messages":[],"maxTokens":5,"tools":[5]}"#),
            (.sample, #"{"messages":[],"maxTokens":5,"tools":[{"name":"a\u200b","inputSchema":{}}]}"#),
        ] as [(MCPProtocol.Method, String)])
    func defects(method: MCPProtocol.Method, params: String) throws {
        #expect(try #require(Question(key: "k", method: method, params: tree(bytes(params)))).defect != nil)
    }

    @Test("what a model reads holds nothing hidden, keeps its lines, and says who asks")
    func sampling() throws {
        let params: JSONValue = [
            "messages": [
                ["role": "user", "content": ["type": "text", "text": "a\n\u{1B}b\u{202E}"]],
                ["role": "assistant", "content": [["type": "tool_use", "id": "1", "name": "t", "input": ["text": "\u{200B}"]]]],
                ["role": "user", "content": [["type": "tool_result", "toolUseId": "1", "content": [["type": "text", "text": "c\u{E0041}"]]]]],
            ],
            "systemPrompt": "s\u{7}\t", "maxTokens": 5, "tools": [["name": "t", "description": "d\u{200B}", "inputSchema": [:]]], "_meta": ["a": 1],
        ]
        let question = try #require(Question(key: "k", method: .sample, params: params))
        #expect(question.defect == nil)
        let expected: JSONValue = [
            "messages": [
                ["role": "user", "content": ["type": "text", "text": "a\nb"]],
                ["role": "assistant", "content": [["type": "tool_use", "id": "1", "name": "t", "input": ["text": "\u{200B}"]]]],
                ["role": "user", "content": [["type": "tool_result", "toolUseId": "1", "content": [["type": "text", "text": "c"]]]]],
            ],
            "systemPrompt": "s\t", "maxTokens": 5, "tools": [["name": "t", "description": "d", "inputSchema": [:]]],
            "_meta": ["a": 1, "switchboard/upstream": "up"],
        ]
        #expect(question.worded(by: "up").params == expected)
    }

    @Test(
        "a link leads to the web, and nothing is hidden in it",
        arguments: [
            ("https://example.com/a?b#c", true), ("HTTP://localhost:1", true), ("https://[::1]:8080/x", true),
            ("https://xn--bcher-kva.example/@a?u=@b", true),
            ("javascript:alert(1)", false), ("file:///etc/passwd", false), ("https://a b", false), ("https://a\u{202E}b", false),
            ("https://a\nb", false),
            ("", false), ("example.com", false), ("https://bank@evil.example/", false), ("https://a:b@c/", false), (#"https://evil\@bank/"#, false),
            ("https:///evil.example", false), ("https://:80/", false), ("https://b\u{E4}nk.example/", false), ("https://a%40b/", false),
            ("https:/a", false),
        ])
    func links(url: String, isFine: Bool) throws {
        let question = try elicitation(["mode": "url", "message": "m", "url": .string(url)])
        #expect((question.defect == nil) == isFine)
    }

    @Test("a legacy client's link has an id, a modern one's none")
    func linkIDs() throws {
        let question = try elicitation(["mode": "url", "message": "m", "url": "https://a"])
        #expect(try JSONValue(parsing: question.bytes(id: "x"))["params"]?["elicitationId"] == "x")
        let known = try elicitation(["mode": "url", "message": "m", "url": "https://a", "elicitationId": "e"])
        #expect(try JSONValue(parsing: known.bytes(id: "x"))["params"]?["elicitationId"] == "e")
        #expect(known.request["params"]?["elicitationId"] == nil)
    }

    @Test("what each question needs")
    func needs() throws {
        func needed(_ method: MCPProtocol.Method, _ params: JSONValue) throws -> ClientAbilities {
            ClientAbilities(neededFor: try #require(Question(key: "k", method: method, params: params)))
        }
        #expect(try needed(.elicit, [:]) == .forms)
        #expect(try needed(.elicit, ["mode": "url"]) == .links)
        #expect(try needed(.sample, [:]) == .sampling)
        #expect(try needed(.sample, ["tools": []]) == [.sampling, .samplingTools])
        #expect(try needed(.listRoots, [:]) == .roots)
        #expect(Question(key: "k", method: .callTool, params: [:]) == nil)
    }
}
