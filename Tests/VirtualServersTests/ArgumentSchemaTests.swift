import JSON
import Testing

@testable import VirtualServers

@Suite("Schemas of shaped arguments")
struct ArgumentSchemaTests {
    private static let plain =
        #"{"properties":{"repo":{},"base":{"title":"B"},"draft":{"type":"boolean"}},"required":["repo","base"],"x":1.0}"#

    static let goldens: [(String, [ArgumentRule], String)] = [
        (
            "fixed is gone", [rule("repo", fixed: "acme/web")],
            #"{"properties":{"base":{"title":"B"},"draft":{"type":"boolean"}},"required":["base"],"x":1.0}"#
        ),
        (
            "hidden is gone", [rule("base", hidden: true), rule("repo", hidden: true)],
            #"{"properties":{"draft":{"type":"boolean"}},"x":1.0}"#
        ),
        (
            "a default makes optional", [rule("base", default: "main")],
            #"{"properties":{"repo":{},"base":{"title":"B","default":"main"},"draft":{"type":"boolean"}},"required":["repo"],"x":1.0}"#
        ),
        (
            "allow is an enum, and stays required", [rule("base", allow: ["main", "dev"])],
            #"{"properties":{"repo":{},"base":{"title":"B","enum":["main","dev"]},"draft":{"type":"boolean"}},"required":["repo","base"],"x":1.0}"#
        ),
        (
            "allow and default", [rule("draft", default: true, allow: [true])],
            #"{"properties":{"repo":{},"base":{"title":"B"},"draft":{"type":"boolean","enum":[true],"default":true}},"#
                + #""required":["repo","base"],"x":1.0}"#
        ),
        ("a rule without effect", [rule("base")], plain),
        ("an unknown argument", [rule("nope", default: 1)], plain),
    ]

    @Test("the schema that clients see", arguments: goldens)
    func rewrites(name: String, rules: [ArgumentRule], golden: String) throws {
        #expect(ArgumentShaping(rules).schema(from: try tree(Self.plain)).text == golden)
    }

    @Test("schemas of odd form are left alone", arguments: ["{}", #"{"properties":[]}"#, #"{"required":"repo"}"#, #"{"required":[1,null]}"#, "true"])
    func odd(schema: String) throws {
        #expect(ArgumentShaping([rule("repo", fixed: 1), rule("base", allow: [1])]).schema(from: try tree(schema)).text == schema)
    }
}
