import Testing

@testable import Auth

@Suite("The language of rules")
struct RuleParserTests {
    @Test(
        "conditions are read with their values, wildcards, quotes and escapes",
        arguments: [
            ("t(a=x)", [["a"]], [["x"]]), ("t( a = x | y , b != z )", [["a"], ["b"]], [["x", "y"], ["z"]]),
            ("t(a.b.c=1)", [["a", "b", "c"]], [["1"]]),
            (#"t(a="x|y, (z)=")"#, [["a"]], [["x|y, (z)="]]), (#"t(a="say \"hi\"\\")"#, [["a"]], [[#"say "hi"\"#]]), (#"t(a="")"#, [["a"]], [[""]]),
            (#"t(a=x\|y|\*)"#, [["a"]], [["x|y", "*"]]), (#"t(a\.b=x)"#, [["a.b"]], [["x"]]), ("t(a=two words)", [["a"]], [["two words"]]),
            ("*(a=x)", [["a"]], [["x"]]), ("@write(a=x)", [["a"]], [["x"]]), ("prompt:p(a=x)", [["a"]], [["x"]]),
        ] as [(String, [[String]], [[String]])])
    func conditions(text: String, paths: [[String]], values: [[String]]) throws {
        let rule = try Rule(parsing: text, at: here)
        #expect(rule.conditions.map(\.path) == paths)
        #expect(rule.conditions.map { $0.values.map(\.text) } == values)
    }

    @Test("what a rule is about")
    func matters() throws {
        #expect(try Rule(parsing: "*", at: here).matter == .everything)
        #expect(try Rule(parsing: "list_*", at: here).matter == .tools(Glob("list_*")))
        #expect(try Rule(parsing: "@destructive", at: here).matter == .toolClass(.destructive))
        #expect(try Rule(parsing: "prompt:p*", at: here).matter == .prompts(Glob("p*")))
        #expect(try Rule(parsing: "resource:file:///a(b)*", at: here).matter == .resources(Glob("file:///a(b)*")))
        let policy = { try Rule(parsing: $0, isOfUpstream: true, at: here) }
        #expect(try policy("github.delete.all").matter == .tools(Glob("delete.all")))
        #expect(try policy("github.delete.all").upstream == Glob("github"))
        #expect(try policy("*.@destructive").matter == .toolClass(.destructive))
        #expect(try policy("github.*").matter == .everything)
        #expect(try policy("prompt:git*.p").matter == .prompts(Glob("p")))
    }

    @Test(
        "a mistake is named with its place and what to do",
        arguments: [
            ("", "this rule does not say what it is about", 0, "write a tool's name, a pattern, @read, @write, @destructive or *"),
            ("@destructve", "there is no class @destructve", 0, "did you mean @destructive?"),
            ("@all", "there is no class @all", 0, "the classes are @read, @write, @destructive"),
            ("github.list", "\"github.list\" has a dot, and roles use the exposed names", 6, "write github_list, or what `as:` says"),
            ("group:admins", "\"group:admins\" says who, not what", 0, "put it under `who`"),
            ("promt:x", "\"promt:x\" is no rule", 0, "did you mean prompt:x?"),
            ("prompt:", "\"prompt:\" names nothing", 7, "write prompt:* for all"),
            ("ü", "\"ü\" can't be the name of an exposed tool", 0, "names hold A-Z, a-z, 0-9, _ and -; patterns also * and ?"),
            ("t()", "a condition names no argument", 2, "write `argument=value`"),
            ("t(a)", "the condition on \"a\" has no `=`", 3, "write `=` or `!=`, and a value"),
            ("t(=x)", "a condition names no argument", 2, "write `argument=value`"),
            ("t(a=)", "a value is missing", 4, "write one, or \"\" for the empty text"),
            ("t(a=x|)", "a value is missing", 6, "write one, or \"\" for the empty text"),
            ("t(a=x", "the bracket is not closed", 5, "write `)` at the end"),
            ("t(a=x) b", "something stands behind the bracket", 7, "end the rule with `)`; put a value that holds `)` in double quotes"),
            ("t(a=\"x)", "a quote is not closed", 4, "write a second `\"`"),
            ("t(a=x=y)", "a second `=` in one condition", 5, "put a value that holds one in double quotes"),
            ("t(a=x(y)", "\"(\" in a value", 5, "put the whole value in double quotes, with \\ before a quote"),
            ("t(a..b=x)", "a condition names no argument", 2, "write `argument=value`"),
        ])
    func mistakes(text: String, what: String, offset: Int, fix: String) {
        #expect(throws: RuleError(what, at: offset, fix: fix)) { try Rule(parsing: text, at: here) }
    }

    @Test("everything has a limit")
    func limits() {
        let many = { (count: Int, text: String) in Array(repeating: text, count: count) }
        for text in [
            "t(" + many(17, "a=x").joined(separator: ",") + ")", "t(a=" + many(65, "x").joined(separator: "|") + ")",
            "t(" + many(9, "a").joined(separator: ".") + "=x)", String(repeating: "t", count: 1_025),
        ] {
            #expect(throws: RuleError.self) { try Rule(parsing: text, at: here) }
        }
    }

    @Test(
        "whom a rule is for must say of which kind",
        arguments: [
            ("alice", "write user:alice, group:alice, client:alice or everyone"), ("grup:a", "did you mean group:a?"),
            ("group:", "write group:NAME, or group:* for all"),
            ("everybody", "did you mean everyone?"), ("role:x", "write user:, group:, client: or everyone"), ("user: a", "remove it"),
            ("group", "did you mean group:NAME?"),
        ])
    func people(text: String, fix: String) {
        do throws(RuleError) {
            _ = try WhoPattern(parsing: text, at: here)
            Issue.record("\(text) passes")
        } catch {
            #expect(error.fix == fix)
        }
    }

    @Test("every text is read or refused, and nothing traps")
    func sweep() {
        let seeds = ["t(a.b=x|\"y\\\"\",c!=1)", "@read(a=*)", "*.@destructive", "resource:x(", "user:a"]
        for seed in seeds {
            let scalars = Array(seed.unicodeScalars)
            for cut in 0...scalars.count {
                for insert in ["", "(", ")", "=", "!", "|", ",", "\\", "\"", ".", "*", " ", "@", "ü", ":"] {
                    var text = String.UnicodeScalarView(scalars[..<cut])
                    text.append(contentsOf: insert.unicodeScalars)
                    text.append(contentsOf: scalars[min(cut + 1, scalars.count)...])
                    for isOfUpstream in [true, false] { _ = try? Rule(parsing: String(text), isOfUpstream: isOfUpstream, at: here) }
                    _ = try? WhoPattern(parsing: String(text), at: here)
                }
            }
        }
    }
}
