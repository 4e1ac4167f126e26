import Auth
import Diagnostics
import JSON
import MCPProtocol
import Testing

@testable import VirtualServers

@Suite struct ItemExposureTests {
    private func offer(prompts: [String] = [], resources: [String] = [], templates: [String] = [], has: [String] = ["resources"]) throws -> Catalogue
    {
        var offer = Offer(capabilities: .object(has.map { .init($0, [:]) }))
        offer.prompts = try prompts.map { try item($0, .prompts) }
        offer.resources = try resources.map { try item($0, .resources) }
        offer.templates = try templates.map { try item($0, .templates) }
        return Catalogue(offer, baseline: [])
    }

    private func item(_ name: String, _ kind: ListKind) throws -> ItemDefinition {
        try ItemDefinition(parsing: JSONValue.object([.init(kind.key, .string(name)), .init("x", 1)]).bytes, of: kind)
    }

    private func team(
        prompts: [String] = [], resources: [String] = [], naming: VirtualServerDefinition.Naming = .prefixed, access: AccessRule = .everyone
    ) -> VirtualServerDefinition {
        VirtualServerDefinition(
            name: "team", naming: naming, prompts: prompts.map { select($0).pattern }, resources: resources.map { select($0).pattern },
            access: access, position: line(1))
    }

    private func owner(_ exposure: Exposure, _ uri: String) -> String? {
        exposure.find(.resources, uri).map { exposure.upstream(of: $0) }
    }

    @Test func `Prompts follow the naming rule, and the first selection has one`() throws {
        let catalogues = ["a": try offer(prompts: ["one", "two"]), "b": try offer(prompts: ["one", "bad name"])]
        let prefixed = Exposure(team(prompts: ["a.*", "a.one", "b.one"]), catalogues: catalogues)
        #expect(prefixed.items(of: .prompts).map(\.name) == ["a_one", "a_two", "b_one"] && prefixed.problems.isEmpty)
        #expect(prefixed.items(of: .prompts).map { String(decoding: $0.listing, as: UTF8.self) }[0] == #"{"name":"a_one","x":1}"#)
        let plain = Exposure(team(prompts: ["a.*", "b.*"], naming: .plain), catalogues: catalogues)
        #expect(plain.items(of: .prompts).map(\.upstream) == ["a", "a"])
        #expect(plain.problems.map(\.description).count == 2)
    }

    @Test(
        arguments: [
            ([Subject.Kind.prompt], "the prompt has no argument"), ([.tool], "the tool has no argument"),
            ([.prompt, .prompt], "none of the 2 prompts has an argument"), ([.prompt, .tool], "none of the 2 tools and prompts has an argument"),
        ])
    func `A condition on an argument that nothing takes is said of prompts or tools, as it is`(_ kinds: [Subject.Kind], _ expected: String) throws {
        let schema: JSONValue = ["type": "object", "properties": ["topic": [:]]]
        let subjects = kinds.enumerated().map { Subject($1, name: "a_\($0)", upstream: "a", upstreamName: "\($0)", schema: schema) }
        let matters = kinds == [.prompt] || kinds == [.prompt, .prompt] ? "prompt:*" : kinds == [.tool] ? "a_0" : "*"
        let problems = RuleCheck(subjects).problems(of: try Rule(parsing: "\(matters)(topik=x)", at: line(2)))
        #expect(problems.count == 1 && problems.first?.description.contains(expected) == true, "\(problems)")
    }

    @Test func `A resource is its lister's, else its template's, else the only upstream's that can have it`() throws {
        let catalogues = [
            "a": try offer(resources: ["x://1", "x://2"], templates: ["t://{id}"]), "b": try offer(resources: ["x://2", "x://3"]),
            "c": try offer(has: []),
        ]
        let both = Exposure(team(resources: ["a.*", "b.*"]), catalogues: catalogues)
        #expect(["x://1", "x://2", "x://3", "t://9", "t://9/9", "y://"].map { owner(both, $0) } == ["a", "a", "b", "a", nil, nil])
        #expect(both.problems.isEmpty && both.warnings.count == 1)
        let narrow = Exposure(team(resources: ["a.x://*"]), catalogues: catalogues)
        #expect(["x://1", "x://4", "t://9"].map { owner(narrow, $0) } == ["a", "a", nil])
        #expect(narrow.items(of: .templates).isEmpty)
        let bare = Exposure(team(resources: ["a.*", "c.*"]), catalogues: catalogues)
        #expect(owner(bare, "y://") == "a" && bare.problems.count == 1)
        let missing = Exposure(team(resources: ["a.*", "d.*"]), catalogues: catalogues)
        #expect(owner(missing, "y://") == nil && missing.missing(.resources, named: "y://")?.upstream == "d")
    }

    @Test func `One decision stands for list and use, and a template is shown to those who may read some of it`() throws {
        func rule(_ text: String) throws -> Rule { try Rule(parsing: text, at: line(2)) }
        let everyone = try WhoPattern(parsing: "everyone", at: line(2))
        let role = Role(
            name: "r", who: [everyone], allow: [try rule("resource:x://1"), try rule("resource:t://ok*"), try rule("prompt:a_one")],
            deny: [try rule("resource:t://ok/secret*")], position: line(2))
        let catalogues = ["a": try offer(prompts: ["one", "two"], resources: ["x://1", "x://2"], templates: ["t://{+id}", "u://{id}"])]
        let exposure = Exposure(team(prompts: ["a.*"], resources: ["a.*"], access: .roles([role])), catalogues: catalogues)
        let view = exposure.view(for: exposure.policy.access(of: .anonymous))
        func shown(_ kind: ListKind) -> String { String(decoding: view.list(of: kind).pages[0], as: UTF8.self) }
        #expect(shown(.prompts).contains("a_one") && !shown(.prompts).contains("a_two"))
        #expect(shown(.resources).contains("x://1") && !shown(.resources).contains("x://2"))
        #expect(shown(.templates).contains("t://") && !shown(.templates).contains("u://"))
        let isDenied = try ["x://1", "x://2", "t://ok/1", "t://ok/secret/1", "t://no", "u://1"].map { uri in
            exposure.denial(of: try #require(exposure.find(.resources, uri)), for: .anonymous) != nil
        }
        #expect(isDenied == [false, true, false, true, true, true])
    }

    @Test func `A server says it can what an upstream of it can, or may when it comes up`() throws {
        var able = Offer(capabilities: ["resources": ["subscribe": true], "completions": [:]], instructions: "Be\u{7} brief.")
        able.resources = [try item("x://1", .resources)]
        let catalogues = ["a": Catalogue(able, baseline: []), "b": try offer(has: ["resources", "prompts"])]
        #expect(Exposure(team(), catalogues: catalogues).capabilities == ["tools": ["listChanged": true], "logging": [:]])
        let able1 = Exposure(team(resources: ["a.*"]), catalogues: catalogues)
        #expect(able1.capabilities["resources"] == ["subscribe": true, "listChanged": true] && able1.capabilities["completions"] == [:])
        #expect(able1.capabilities["tools"] == nil && able1.instructions == "From a:\nBe brief.")
        let plain = Exposure(team(prompts: ["b.*"], resources: ["b.*"]), catalogues: catalogues)
        #expect(plain.capabilities["resources"] == ["listChanged": true] && plain.capabilities["completions"] == nil)
        #expect(Exposure(team(resources: ["away.*"]), catalogues: catalogues).capabilities["resources"]?["subscribe"] == true)
    }
}
