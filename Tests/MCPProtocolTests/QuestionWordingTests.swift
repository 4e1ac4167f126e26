import JSON
import Testing

@testable import MCPProtocol

@Suite("Questions to clients")
struct QuestionWordingTests {
    private func elicitation(_ params: JSONValue) throws -> Question { try #require(Question(key: "k", method: .elicit, params: params)) }

    @Test(
        "a text for a person says who asks and holds no control characters",
        arguments: [
            ("Name?", "up: Name?"), ("a\nb\tc", "up: a b c"), ("\u{1B}[31mred\u{9B}0m", "up: [31mred0m"), ("\u{202E}evil\u{202C}", "up: evil"),
            ("a\u{2066}b\u{2069}\u{200F}\u{061C}c", "up: abc"), ("x\u{2028}y\u{0}", "up: x y"), ("naïve 漢字 🧑‍🚀", "up: naïve 漢字 🧑‍🚀"),
        ])
    func wording(text: String, expected: String) throws {
        #expect(try elicitation(["message": .string(text)]).worded(by: "up").params["message"] == .string(expected))
    }

    @Test("titles in a form are plain, names and values stay as they are")
    func titles() throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "a\u{202E}": ["type": "string", "title": "T\u{202E}", "description": "D\u{7}", "enum": ["v\u{202E}"], "enumNames": ["N\u{8}"]]
            ],
        ]
        let shown = try elicitation(["message": "m", "requestedSchema": schema]).worded(by: "up").params["requestedSchema"]
        let expected: JSONValue = ["type": "string", "title": "T", "description": "D", "enum": ["v\u{202E}"], "enumNames": ["N"]]
        #expect(shown?["properties"]?["a\u{202E}"] == expected)
    }

    @Test("what a model reads stays as it is")
    func sampling() throws {
        let params: JSONValue = ["messages": [["role": "user", "content": ["type": "text", "text": "\u{1B}\u{202E}"]]], "systemPrompt": "\u{7}"]
        #expect(try #require(Question(key: "k", method: .sample, params: params)).worded(by: "up").params == params)
    }

    @Test(
        "a link leads to the web, and nothing is hidden in it",
        arguments: [
            ("https://example.com/a?b#c", true), ("HTTP://localhost:1", true), ("javascript:alert(1)", false), ("file:///etc/passwd", false),
            ("https://a b", false), ("https://a\u{202E}b", false), ("https://a\nb", false), ("", false), ("example.com", false),
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
