import Auth
import Testing

@testable import VirtualServers

@Suite("What rules can match, by the file alone")
struct PossibleValuesTests {
    private let make = select(
        "up.mk",
        arguments: [
            rule("project", fixed: "DESK"), rule("draft", hidden: true), rule("kind", default: "bug", hidden: true),
            rule("priority", allow: ["low", "normal"]),
        ])

    private func reason(_ text: String, isDeny: Bool = false, _ selections: [ToolSelection]) throws -> String? {
        RuleCheck.impossibility(of: try Rule(parsing: text, at: line(1)), isDeny: isDeny, in: selections, .plain)
    }

    @Test(
        "a rule that nothing can meet is known by the file alone",
        arguments: [
            ("mk(project=OTHER)", "`project` is always \"DESK\""), ("mk(draft=true)", "`draft` is hidden, and never sent"),
            ("mk(kind=story)", "`kind` is hidden, and always \"bug\""), ("mk(priority=urgent)", "`priority` is one of \"low\", \"normal\""),
            ("mk(priority!=low|normal)", "`priority` is one of \"low\", \"normal\""),
            ("mk(priority=low,priority=normal)", "`priority` is one of \"low\", \"normal\""),
            ("mk(title=a,title=b)", "no value of `title` meets all of it"), ("mk(title=a|b,title!=a*|b)", "no value of `title` meets all of it"),
            ("mk(title!=*)", "no value of `title` meets all of it"), ("m*(project=OTHER)", "`project` is always \"DESK\""),
            ("@write(project=OTHER)", "`project` is always \"DESK\""),
        ])
    func impossible(_ text: String, _ why: String) throws { #expect(try reason(text, [make]) == why) }

    @Test(
        "what something can meet is no mistake",
        arguments: [
            "mk", "mk(project=DESK)", "mk(project=D*)", "mk(kind=bug)", "mk(priority=low|urgent)", "mk(priority!=low)", "mk(title=a*,title=*b)",
            "mk(title=a*,title!=ab)", "mk(title=a,body=b)", "other(project=OTHER)",
        ])
    func possible(_ text: String) throws { #expect(try reason(text, [make]) == nil) }

    @Test("a deny counts what may be a match, and one tool that can match is enough")
    func denies() throws {
        #expect(try reason("mk(project=OTHER)", isDeny: true, [make]) != nil)
        // Who leaves the argument out may mean anything.
        #expect(try reason("mk(priority=urgent)", isDeny: true, [make]) == nil)
        #expect(try reason("*(project=OTHER)", [make, select("up.other")]) == nil)
    }
}
