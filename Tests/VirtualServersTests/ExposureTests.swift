import JSON
import MCPProtocol
import Testing

@testable import VirtualServers

@Suite("What a virtual server exposes")
struct ExposureTests {
    @Test("names have the upstream before them, unless plain or given")
    func naming() throws {
        let catalogues = ["git": try catalogue("list", "get")]
        #expect(
            Exposure(server(select("git.list"), select("git.get", as: "fetch")), catalogues: catalogues).tools.map(\.name) == ["git_list", "fetch"])
        #expect(Exposure(server(select("git.list"), naming: .plain), catalogues: catalogues).tools.map(\.name) == ["list"])
    }

    @Test("the listing is the upstream's, but for name and description")
    func listing() throws {
        let json = #"{"title":"L","name":"list","x":1.0,"inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"description":"old"}"#
        let tools = [try ToolDefinition(try tree(json))]
        let exposure = Exposure(
            server(select("git.list", as: "l", description: "new")), catalogues: ["git": Catalogue(Offer(tools: tools), baseline: ["list"])])
        let listing = String(decoding: try #require(exposure["l"]).listing, as: UTF8.self)
        #expect(listing == json.replacing(#""name":"list""#, with: #""name":"l""#).replacing("old", with: "new"))
        #expect(exposure["l"]?.upstreamName == "list")
        #expect(exposure["list"] == nil)
    }

    @Test(
        "an output schema that is no object's is left out for legacy clients, and nothing else",
        arguments: [
            (#"{"type":"object"}"#, true), (#"{"type":"object","properties":{"a":{"type":"array"}}}"#, true), (#"{"type":"array"}"#, false),
            (#"{"type":["object","null"]}"#, false), ("{}", false), ("true", false), (#"{"type":"Object"}"#, false),
        ])
    func outputSchema(schema: String, isShown: Bool) throws {
        let rest = #""name":"t","x":1.0,"inputSchema":{"type":"object","outputSchema":{"type":"array"}}"#
        let tool = try ToolDefinition(try tree(#"{\#(rest),"outputSchema":\#(schema)}"#))
        let catalogues = ["a": Catalogue(Offer(tools: [tool]), baseline: ["t"])]
        for (selection, name) in [(select("a.t"), "a_t"), (select("a.t", as: "other"), "other")] {
            let exposure = Exposure(server(selection), catalogues: catalogues)
            let exposed = try #require(exposure[name])
            let modern = try JSONValue(parsing: exposed.listing)
            #expect(modern["outputSchema"] == (try tree(schema)))
            var expected = modern
            if !isShown { expected["outputSchema"] = nil }
            #expect(try JSONValue(parsing: exposed.legacyListing) == expected)
            #expect(exposure.list(of: .tools).pages == [exposed.listing] && exposure.list(of: .tools).legacyPages == [exposed.legacyListing])
        }
    }

    @Test("tools come in the order of the selections, then of the upstream")
    func order() throws {
        let catalogues = ["a": try catalogue("z", "y", "x"), "b": try catalogue("w")]
        let exposure = Exposure(server(select("b.w"), select("a.x"), select("a.*"), naming: .plain), catalogues: catalogues)
        #expect(exposure.tools.map(\.name) == ["w", "x", "z", "y"])
        #expect(exposure.problems.isEmpty)
    }

    @Test("an exact selection beats a pattern, wherever it stands")
    func exactBeatsPattern() throws {
        let catalogues = ["a": try catalogue("get", "list")]
        for selections in [[select("a.get", as: "g"), select("a.*")], [select("a.*"), select("a.get", as: "g")]] {
            var definition = server(naming: .plain)
            definition.tools = selections
            let exposure = Exposure(definition, catalogues: catalogues)
            #expect(Set(exposure.tools.map(\.name)) == ["g", "list"])
            #expect(exposure.problems.isEmpty)
        }
    }

    @Test("a tool that two patterns take is there once; two exact selections may name it twice")
    func overlap() throws {
        let catalogues = ["a": try catalogue("get", "list")]
        #expect(Exposure(server(select("a.*"), select("a.g*"), naming: .plain), catalogues: catalogues).tools.map(\.name) == ["get", "list"])
        let twice = Exposure(server(select("a.get", as: "one"), select("a.get", as: "two")), catalogues: catalogues)
        #expect(twice.tools.map(\.name) == ["one", "two"])
        #expect(twice.problems.isEmpty)
    }

    @Test("two tools of one name: the first stays, and the problem names both places")
    func duplicates() throws {
        let catalogues = ["a": try catalogue("get"), "b": try catalogue("get")]
        let exposure = Exposure(server(select("a.get", line: 4), select("b.get", line: 7), naming: .plain), catalogues: catalogues)
        #expect(exposure.tools.map(\.upstream) == ["a"])
        #expect(
            exposure.problems.map(\.description) == [
                #"virtual-servers/team.yaml:7:3: "b.get" and "a.get" (virtual-servers/team.yaml:4:3) "#
                    + #"would both be called "get"; rename one with `as:`"#
            ])
    }

    @Test("a name that does not fit is a problem, and no other tool's")
    func fit() throws {
        let long = String(repeating: "n", count: 65)
        let catalogues = ["a": try catalogue("a.b", "ü", "a b", "a/b", "a@b", "a[", long, "ok-_9Z", String(repeating: "n", count: 64))]
        let exposure = Exposure(server(select("a.*", line: 5), naming: .plain), catalogues: catalogues)
        #expect(exposure.tools.map(\.name) == ["ok-_9Z", String(repeating: "n", count: 64)])
        #expect(exposure.problems.count == 7)
        #expect(exposure.problems.allSatisfy { $0.description.hasPrefix("virtual-servers/team.yaml:5:3: ") && $0.fix == "give it one with `as:`" })
        #expect(Exposure(server(select("a.a.b", as: "fine")), catalogues: catalogues).tools.map(\.name) == ["fine"])
    }

    @Test("a tool that the upstream does not have is a problem with the likely name")
    func unknown() throws {
        let catalogues = ["a": try catalogue("list_issues", "x")]
        let exposure = Exposure(server(select("a.list_isues", line: 2), select("a.get_*", line: 3)), catalogues: catalogues)
        #expect(
            exposure.problems.map(\.description) == [
                #"virtual-servers/team.yaml:2:3: upstream "a" has no tool "list_isues"; did you mean "a.list_issues"?"#,
                #"virtual-servers/team.yaml:3:3: no tool of upstream "a" matches "get_*"; it has: list_issues, x"#,
            ])
    }

    @Test("a pattern over an upstream without tools says so")
    func empty() throws {
        let exposure = Exposure(server(select("a.*", line: 2)), catalogues: ["a": try catalogue()])
        #expect(exposure.problems.map(\.description) == [#"virtual-servers/team.yaml:2:3: no tool of upstream "a" matches "*"; it has none"#])
    }

    @Test("a rule for an argument that the tool does not have is a problem; the tool stays")
    func unknownArgument() throws {
        let tool = try ToolDefinition(try tree(#"{"name":"t","inputSchema":{"properties":{"repo":{}}}}"#))
        let exposure = Exposure(
            server(select("a.t", arguments: [rule("rpo", fixed: "x")])), catalogues: ["a": Catalogue(Offer(tools: [tool]), baseline: ["t"])])
        #expect(exposure.tools.count == 1)
        #expect(exposure.problems.map(\.description) == [#"virtual-servers/team.yaml:9:3: tool "a.t" has no argument "rpo"; did you mean "repo"?"#])
    }

    @Test("patterns hold new tools back or show them; exact selections always take them")
    func newTools() throws {
        let catalogues = ["a": try catalogue("old", "new", baseline: ["old"])]
        #expect(Exposure(server(select("a.*"), naming: .plain), catalogues: catalogues).tools.map(\.name) == ["old"])
        #expect(Exposure(server(select("a.*"), naming: .plain, newTools: .show), catalogues: catalogues).tools.map(\.name) == ["old", "new"])
        #expect(Exposure(server(select("a.new"), naming: .plain), catalogues: catalogues).tools.map(\.name) == ["new"])
        #expect(Exposure(server(select("a.n*"), naming: .plain), catalogues: catalogues).problems.isEmpty)
    }

    @Test("an upstream that is not known at present takes only its own tools away")
    func missing() throws {
        let exposure = Exposure(server(select("a.get"), select("b.*"), select("b.get")), catalogues: ["a": try catalogue("get")])
        #expect(exposure.tools.map(\.name) == ["a_get"])
        #expect(exposure.missingUpstreams == ["b"])
        #expect(exposure.problems.isEmpty)
    }

    @Test(
        "pages hold so many tools each, and one page is there even when there are none",
        arguments: [(0, [0]), (1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2])])
    func pages(count: Int, lengths: [Int]) throws {
        let tools = try (0..<count).map { try ToolDefinition(["name": .string("t\($0)"), "inputSchema": [:]]) }
        let catalogues = ["a": Catalogue(Offer(tools: tools), baseline: Set(tools.map(\.name)))]
        let exposure = Exposure(server(select("a.t*"), naming: .plain), catalogues: catalogues, pageLength: 2)
        let pages = try exposure.list(of: .tools).pages.map { try JSONValue(parsing: [UInt8(ascii: "[")] + $0 + [UInt8(ascii: "]")]).array ?? [] }
        #expect(pages.map(\.count) == lengths)
        #expect(pages.joined().map { $0["name"]?.string } == (0..<count).map { "t\($0)" })
    }

    @Test("a fixed argument's header is the upstream's business, not the client's")
    func headers() throws {
        let schema = #"{"properties":{"r":{"type":"string","x-mcp-header":"R"},"s":{"type":"string","x-mcp-header":"S"}}}"#
        let tool = try ToolDefinition(try tree(#"{"name":"t","inputSchema":\#(schema)}"#))
        let exposure = Exposure(
            server(select("a.t", as: "t", arguments: [rule("r", fixed: "x")])), catalogues: ["a": Catalogue(Offer(tools: [tool]), baseline: ["t"])])
        #expect(exposure["t"]?.headerParameters.map(\.field) == ["Mcp-Param-S"])
        #expect(exposure["t"]?.upstreamHeaderParameters.map(\.field) == ["Mcp-Param-R", "Mcp-Param-S"])
    }
}
