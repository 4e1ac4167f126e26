import JSON
import Testing

@testable import Auth

@Suite("Decisions")
struct PolicyTests {
    static let schema: JSONValue = ["type": "object", "properties": ["a": [:], "o": ["type": "object", "properties": ["b": [:]]]]]

    /// Arguments, then whether `allow: t(…=x)`, `allow: t(…!=x)`, `deny: t(…=x)` and `deny: t(…!=x)` with the value let the call pass.
    static let truth: [(value: String, arguments: String, allowIs: Bool, allowIsNot: Bool, denyIs: Bool, denyIsNot: Bool)] = [
        ("x", #"{"a":"x"}"#, true, false, false, true),
        ("x", #"{"a":"y"}"#, false, true, true, false),
        ("x", #"{}"#, false, false, false, false),
        ("x", #"{"a":null}"#, false, false, false, false),
        ("x", #"{"a":["x"]}"#, false, false, false, false),
        ("x", #"{"a":["y"]}"#, false, false, false, false),
        ("x", #"{"a":{"x":1}}"#, false, false, false, false),
        ("x", #"{"a":"X"}"#, false, false, false, false),
        ("x", #"{"a":" x"}"#, false, false, false, false),
        ("x", #"{"a":"x\u200b"}"#, false, false, false, false),
        ("x", #"{"a":"\uff58"}"#, false, false, false, false),
        ("x", #"{"a":"х"}"#, false, false, false, false),
        ("x", #"{"a":"xx"}"#, false, true, true, false),
        ("x", #"{"\u0061":"x"}"#, true, false, false, true),
        ("x", #"{"a":"\u0078"}"#, true, false, false, true),
        ("x", #"{"A":"x"}"#, false, false, false, false),
        ("x", #"{"a":"y","A":"x"}"#, false, false, false, false),
        ("x", #"{"a":"x","\u0041":"y"}"#, false, false, false, false),
        ("x", #"{"a":"x","a":"y"}"#, false, false, false, false),
        ("x", #"{"a":"y","\u0061":"y"}"#, false, false, false, false),
        ("1", #"{"a":1}"#, true, false, false, true),
        ("1", #"{"a":1.0}"#, true, false, false, true),
        ("1", #"{"a":10e-1}"#, true, false, false, true),
        ("1", #"{"a":"1"}"#, true, false, false, true),
        ("1", #"{"a":"1.0"}"#, false, false, false, false),
        ("1", #"{"a":"01"}"#, false, false, false, false),
        ("1", #"{"a":2}"#, false, true, true, false),
        ("13", #"{"a":"١٣"}"#, false, false, false, false),
        ("13", #"{"a":"⑬"}"#, false, false, false, false),
        ("13", #"{"a":"1_3"}"#, false, false, false, false),
        ("13", #"{"a":"0b1101"}"#, false, false, false, false),
        ("13", #"{"a":"-0xD"}"#, false, true, true, false),
        ("13", #"{"a":"13 apples"}"#, false, false, false, false),
        ("13", #"{"a":"130"}"#, false, true, true, false),
        ("13", #"{"a":"\ud83e\udff1\ud83e\udff3"}"#, false, false, false, false),
        ("quit", #"{"a":"\ud801\udfa5uit"}"#, false, false, false, false),
        ("quit", #"{"a":"\ud833\udce6uit"}"#, false, false, false, false),
        ("d", #"{"a":"ᑫ"}"#, false, false, false, false),
        ("1", #"{"a":true}"#, false, false, false, false),
        ("9007199254740993", #"{"a":9007199254740993}"#, true, false, false, true),
        ("9007199254740993", #"{"a":9007199254740992}"#, false, false, false, false),
        ("true", #"{"a":true}"#, true, false, false, true),
        ("true", #"{"a":false}"#, false, true, true, false),
        ("true", #"{"a":1}"#, false, false, false, false),
        ("true", #"{"a":"yes"}"#, false, false, false, false),
        ("null", #"{"a":null}"#, true, false, false, true),
        ("\"1\"", #"{"a":1}"#, false, false, false, false),
        ("x*", #"{"a":"xyz"}"#, true, false, false, true),
        ("x*", #"{"a":"yx"}"#, false, true, true, false),
        ("x*", #"{"a":"Xyz"}"#, false, false, false, false),
        ("*", #"{"a":"anything"}"#, true, false, false, true),
        ("*", #"{"a":5}"#, true, false, false, true),
        ("*", #"{"a":[]}"#, false, false, false, false),
        ("1*", #"{"a":12}"#, true, false, false, true),
        ("1*", #"{"a":1e1}"#, false, false, false, false),
        ("x", #"{"a":"größe"}"#, false, true, true, false),
        ("main", #"{"a":"日本"}"#, false, true, true, false),
        ("file", #"{"a":"ﬁle"}"#, false, false, false, false),
    ]

    @Test("an allow needs certainty, and only certainty averts a deny", arguments: truth)
    func truthTable(value: String, arguments: String, allowIs: Bool, allowIsNot: Bool, denyIs: Bool, denyIsNot: Bool) throws {
        let subject = tool("t", schema: Self.schema)
        #expect(AccessPolicy([try role(allow: ["up_t(a=\(value))"])], subject).allows(.anonymous, 0, arguments) == allowIs)
        #expect(AccessPolicy([try role(allow: ["up_t(a!=\(value))"])], subject).allows(.anonymous, 0, arguments) == allowIsNot)
        #expect(AccessPolicy([try role(allow: ["*"], deny: ["up_t(a=\(value))"])], subject).allows(.anonymous, 0, arguments) == denyIs)
        #expect(AccessPolicy([try role(allow: ["*"], deny: ["up_t(a!=\(value))"])], subject).allows(.anonymous, 0, arguments) == denyIsNot)
    }

    @Test(
        "nested arguments are judged at their place",
        arguments: [
            (#"{"o":{"b":"x"}}"#, true), (#"{"o":{"b":"y"}}"#, false), (#"{"o":{}}"#, false), (#"{}"#, false), (#"{"o":[{"b":"x"}]}"#, false),
            (#"{"o":"x"}"#, false), (#"{"o":{"b":"x"},"O":{"b":"y"}}"#, false), (#"{"o":{"b":"x","b":"x"}}"#, false),
            (#"{"o":{"b":"x"},"o":{}}"#, false),
            (#"{"o.b":"x"}"#, false), (#"{"o":{"c":[{"b":"y"}],"b":"x"}}"#, true), (#"{"b":"x"}"#, false), (#"[]"#, false), ("null", false),
        ])
    func nested(arguments: String, isAllowed: Bool) throws {
        let subject = tool("t", schema: Self.schema)
        #expect(AccessPolicy([try role(allow: ["up_t(o.b=x)"])], subject).allows(.anonymous, 0, arguments) == isAllowed)
        // The same never passes a deny of the value, unless it plainly is another.
        let passes = AccessPolicy([try role(allow: ["*"], deny: ["up_t(o.b=x)"])], subject).allows(.anonymous, 0, arguments)
        #expect(passes == (arguments == #"{"o":{"b":"y"}}"#))
    }

    @Test("a text too long to be looked through is unclear, and a long one that can't be the value is plainly another")
    func longTexts() throws {
        let subject = tool("t", schema: Self.schema)
        let long = String(repeating: "é", count: 40_000)
        #expect(!AccessPolicy([try role(allow: ["*"], deny: ["up_t(a=*secret*)"])], subject).allows(.anonymous, 0, #"{"a":"\#(long)"}"#))
        #expect(!AccessPolicy([try role(allow: ["up_t(a=é*)"])], subject).allows(.anonymous, 0, #"{"a":"\#(long)"}"#))
        #expect(AccessPolicy([try role(allow: ["*"], deny: ["up_t(a=main)"])], subject).allows(.anonymous, 0, #"{"a":"\#(long)"}"#))
        #expect(AccessPolicy([try role(allow: ["up_t(a=*)"])], subject).allows(.anonymous, 0, #"{"a":"\#(long)"}"#))
    }

    @Test("what is read step by step is what the table says")
    func automaton() {
        let alphabet: [Glob.Token] = [0x61, 0x62, Glob.run, Glob.one]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let (a, b) = (
                Glob(tokens: (0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet[Int.random(in: 0..<4, using: &random)] }),
                Glob(tokens: (0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet[Int.random(in: 0..<4, using: &random)] })
            )
            var automaton = GlobAutomaton(a)
            for token in b.tokens { automaton.take(token) }
            #expect(automaton.isAtEnd == a.intersects(b), "\(a.tokens) \(b.tokens)")
        }
    }

    @Test("policy beats roles, a role's deny beats another's allow, and what nothing allows is denied")
    func order() throws {
        let subjects = [tool("get"), tool("delete")]
        let roles = [
            try role("a", try who("group:a"), allow: ["*"]), try role("b", try who("group:b"), allow: ["up_get"], deny: ["up_delete"]),
        ]
        let policy = AccessPolicy(
            .roles(roles), at: here, prohibitions: [try prohibition("up.get", unless: try who("group:boss"))], subjects: subjects)
        let caller = { (groups: Set<GroupName>) in Caller(.login, user: "u", groups: groups) }
        #expect(!policy.allows(caller(["a"]), 0))
        #expect(policy.allows(caller(["a"]), 1))
        #expect(policy.allows(caller(["a", "boss"]), 0))
        #expect(!policy.allows(caller(["a", "b"]), 1))
        #expect(!policy.allows(caller([]), 1))
        #expect(!policy.allows(caller(["b"]), 1))
        #expect(policy.dependsOnCaller)
    }

    @Test(
        "callers are matched by exact code points",
        arguments: [
            ("user:alice", Caller(.login, user: "alice"), true), ("user:alice", Caller(.login, user: "Alice"), false),
            ("user:alice", Caller(.login, client: "alice"), false), ("user:*", Caller(.login, client: "x"), false),
            ("user:*", .anonymous, false), ("everyone", .anonymous, true), ("client:ci-*", Caller(.login, client: "ci-1"), true),
            ("group:K", Caller(.login, user: "u", groups: ["\u{212A}"]), false), ("group:K", Caller(.login, user: "u", groups: ["K"]), true),
            ("group:é", Caller(.login, user: "u", groups: ["e\u{301}"]), false),
            ("group:K", Caller(.login, user: "u", groups: ["\u{212A}", "K"]), true), ("user:K", Caller(.login, user: "\u{212A}"), false),
            ("user:*@acme.example", Caller(.login, user: "a@acme.example"), true), ("group:a", Caller(.login, user: "u", groups: ["b", "a"]), true),
        ] as [(String, Caller, Bool)])
    func callers(text: String, caller: Caller, isMatch: Bool) throws {
        #expect(try WhoPattern(parsing: text, at: here).matches(caller) == isMatch)
        // The same through the cache, which has seen a look-alike before.
        let policy = AccessPolicy([try role("r", try who(text), allow: ["*"])], tool("t"))
        for other in [Caller(.login, user: "K", groups: ["K"]), Caller(.login, user: "u", groups: ["K"]), Caller(.login, user: "u", groups: ["é"])] {
            _ = policy.allows(other)
        }
        #expect(policy.allows(caller) == isMatch)
        #expect(policy.allows(caller) == isMatch)
    }

    @Test(
        "annotations count towards caution only",
        arguments: [
            (nil, ToolClass([.write, .destructive])), ("{}", [.write, .destructive]), (#"{"readOnlyHint":true}"#, .read),
            (#"{"destructiveHint":false}"#, .write), (#"{"readOnlyHint":false,"destructiveHint":false}"#, .write),
            (#"{"readOnlyHint":true,"destructiveHint":true}"#, [.write, .destructive]), (#"{"readOnlyHint":"true"}"#, [.write, .destructive]),
            (#"{"readOnlyHint":1}"#, [.write, .destructive]), (#"{"destructiveHint":null}"#, [.write, .destructive]), ("[]", [.write, .destructive]),
            (#"{"readOnlyHint":"no","destructiveHint":false}"#, [.write, .destructive]), (#"{"readOnlyHint":true,"destructiveHint":false}"#, .read),
        ] as [(String?, ToolClass)])
    func classes(annotations: String?, expected: ToolClass) throws {
        #expect(ToolClass(annotations: try annotations.map(tree)) == expected)
    }

    @Test("a tool without the argument is not caught by a deny on its value, unless the argument is sent")
    func foreignArguments() throws {
        let subject = tool("t", schema: ["type": "object", "properties": ["b": [:]]])
        let policy = AccessPolicy([try role(allow: ["*"], deny: ["*(a=x)"])], subject)
        #expect(policy.allows(.anonymous, 0, "{}"))
        #expect(policy.allows(.anonymous, 0, #"{"b":1}"#))
        #expect(!policy.allows(.anonymous, 0, #"{"a":"x"}"#))
        #expect(!policy.allows(.anonymous, 0, #"{"A":"x"}"#))
        let open = tool("t", schema: ["type": "object", "properties": ["b": [:]], "allOf": []])
        #expect(!AccessPolicy([try role(allow: ["*"], deny: ["*(a=x)"])], open).allows(.anonymous, 0, "{}"))
    }

    @Test("prompts and resources have rules of their own, and `*` covers all")
    func otherKinds() throws {
        let prompt = Subject(.prompt, name: "up_p", upstream: "up", upstreamName: "p")
        let resource = Subject(.resource, name: "file:///a/b", upstream: "up", upstreamName: "file:///a/b")
        let subjects = [tool("p"), prompt, resource]
        let table: [(String, [Bool])] = [
            ("*", [true, true, true]), ("up_p", [true, false, false]), ("prompt:up_*", [false, true, false]), ("@write", [true, false, false]),
            ("resource:file:///a/*", [false, false, true]), ("resource:file:///b/*", [false, false, false]),
        ]
        for (rule, expected) in table {
            let policy = AccessPolicy(.roles([try role(allow: [rule])]), at: here, prohibitions: [], subjects: subjects)
            #expect(subjects.indices.map { policy.allows(.anonymous, $0) } == expected, "\(rule)")
        }
        for (rule, expected) in [("up.*", [false, false, false]), ("up.p", [false, true, true]), ("prompt:up.p", [true, false, true])] {
            let policy = AccessPolicy(.everyone, at: here, prohibitions: [try prohibition(rule)], subjects: subjects)
            #expect(subjects.indices.map { policy.allows(.anonymous, $0) } == expected, "\(rule)")
        }
    }

    @Test("the list says which values are allowed, and what can't be left out")
    func narrowing() throws {
        let schema: JSONValue = [
            "type": "object",
            "properties": [
                "m": ["type": "string", "enum": ["get", "diff", "merge"]], "f": ["type": "boolean"], "s": ["type": "string"],
                "n": ["type": "integer"],
                "o": ["type": "object", "properties": ["b": ["enum": [1, 2]]]],
            ],
        ]
        let space = ArgumentSpace(schema: schema)
        func found(allow: [String] = ["*"], deny: [String] = []) throws -> [Narrowing]? {
            AccessPolicy([try role(allow: allow, deny: deny)], tool("t", schema: schema)).access(of: .anonymous).narrowings(of: 0, in: space)
        }
        #expect(try found(allow: ["up_t(m=get|diff)"]) == [Narrowing(path: ["m"], values: ["get", "diff"], isRequired: true)])
        #expect(
            try found(allow: ["up_t(m=get)", "up_t(m=merge,f=false)"])?.first == Narrowing(path: ["m"], values: ["get", "merge"], isRequired: true))
        #expect(try found(deny: ["up_t(m=merge)"]) == [Narrowing(path: ["m"], values: ["get", "diff"], isRequired: true)])
        #expect(try found(deny: ["up_t(m=m*|d*)"]) == [Narrowing(path: ["m"], values: ["get"], isRequired: true)])
        #expect(try found(allow: ["up_t(f!=true)"]) == [Narrowing(path: ["f"], values: [false], isRequired: true)])
        #expect(try found(allow: ["up_t(s=a|b)"]) == [Narrowing(path: ["s"], values: ["a", "b"], isRequired: true)])
        #expect(try found(allow: ["up_t(s=a*)"]) == [Narrowing(path: ["s"], values: nil, isRequired: true)])
        #expect(try found(deny: ["up_t(s=main)"]) == [Narrowing(path: ["s"], values: nil, isRequired: true)])
        #expect(try found(allow: ["up_t(n=1|2)"]) == [Narrowing(path: ["n"], values: [1, 2], isRequired: true)])
        #expect(try found(allow: ["up_t(o.b=2)"]) == [Narrowing(path: ["o", "b"], values: [2], isRequired: true)])
        #expect(try found(allow: ["up_t(m=get)", "up_t"]) == [])
        #expect(try found(allow: ["up_t(m=get)"], deny: ["up_t(m=get)"]) == nil)
        #expect(try found(allow: ["up_t(m=gone)"]) == nil)
    }

    @Test("what is listed can be called, and what can be called is listed, whatever the rules")
    func listEqualsCall() throws {
        var random = SeededGenerator(state: 11)
        let values = ["x", "y", "z", "1", "true"]
        let schema: JSONValue = [
            "type": "object", "properties": ["a": ["enum": ["x", "y", "z"]], "b": ["type": "string"], "c": ["type": "boolean"]],
        ]
        func condition() -> String {
            let count = Int.random(in: 1...2, using: &random)
            let chosen = (0..<count).map { _ in Bool.random(using: &random) ? values.randomElement(using: &random) ?? "" : "?*" }
            return (["a", "b", "c"].randomElement(using: &random) ?? "") + (Bool.random(using: &random) ? "=" : "!=") + chosen.joined(separator: "|")
        }
        func rule() -> String {
            let what = ["*", "up_t", "@write", "up_*", "up_other"].randomElement(using: &random) ?? ""
            let count = Int.random(in: 0...2, using: &random)
            return count == 0 ? what : what + "(" + (0..<count).map { _ in condition() }.joined(separator: ",") + ")"
        }
        let options: [[String?]] = [
            [nil, "\"x\"", "\"y\"", "\"z\""], [nil, "\"x\"", "\"y\"", "\"z\"", "\"1\"", "\"true\"", "\"other\"", "\"\""], [nil, "true", "false"],
        ]
        var counts = (listed: 0, hidden: 0)
        for _ in 0..<1_500 {
            let roles = try (0..<2).map { _ in try role(allow: (0..<2).map { _ in rule() }, deny: Bool.random(using: &random) ? [rule()] : []) }
            let policy = AccessPolicy(roles, tool("t", schema: schema))
            var isCallable = false
            for a in options[0] {
                for b in options[1] {
                    for c in options[2] {
                        let members = zip(["a", "b", "c"], [a, b, c]).compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
                        isCallable = isCallable || policy.allows(.anonymous, 0, "{\(members.joined(separator: ","))}")
                    }
                }
            }
            #expect(policy.lists() == isCallable, "\(roles.map { ($0.allow + $0.deny).map(\.reference.text) })")
            if isCallable { counts.listed += 1 } else { counts.hidden += 1 }
        }
        #expect(counts.listed > 100 && counts.hidden > 100)
    }

    @Test("the caches stay bounded, and forgetting changes no decision")
    func bounds() throws {
        let roles = try (0..<7).map { try role("r\($0)", try who("group:g\($0)"), allow: ["up_t"]) }
        let policy = AccessPolicy(roles, tool("t"))
        for number in 0..<10_000 {
            let groups = Set((0..<7).filter { number >> $0 & 1 == 1 }.map { GroupName("g\($0)") })
            #expect(policy.allows(Caller(.login, user: "u\(number)", groups: groups)) == !groups.isEmpty)
        }
    }
}

/// Repeatable randomness.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

@Suite("Patterns that meet")
struct GlobIntersectionTests {
    @Test("two patterns meet where some short text matches both")
    func exhaustive() {
        let texts = Self.words(["a", "b"], 4)
        let patterns = Self.words(["a", "b", "?", "*"], 3)
        for one in patterns {
            for other in patterns {
                let (one, other) = (Glob(one), Glob(other))
                #expect(one.intersects(other) == texts.contains { one.matches($0) && other.matches($0) } || texts.isEmpty)
            }
        }
    }

    private static func words(_ letters: [String], _ length: Int) -> [String] {
        var all = [""]
        var last = [""]
        for _ in 0..<length {
            last = last.flatMap { word in letters.map { word + $0 } }
            all += last
        }
        return all
    }
}
