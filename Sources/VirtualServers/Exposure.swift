import Auth
import Diagnostics
import JSON
import MCPProtocol

/// A virtual server held against what its upstreams offer now: what there is of each kind, ready to be listed and used.
package final class Exposure: Sendable {
    package let definition: VirtualServerDefinition
    /// In the order of the selections, then of the upstream.
    package let tools: [ExposedTool]
    /// What does not fit, for `check` and the log.
    package let problems: [Problem]
    /// Those of them that are rules without effect.
    package let ruleProblems: [Problem]
    /// What is as it should be, and may surprise.
    package let warnings: [Problem]
    /// The names of upstreams that have not been read yet or are down.
    package let missingUpstreams: Set<String>
    /// The virtual server's name, version and title as it introduces itself, an `Implementation`.
    package let serverInfo: JSONValue
    /// Who may do what; asked by list and call alike.
    package let policy: AccessPolicy
    /// What the upstreams that are there offer, by name.
    let offers: [String: Offer]
    /// By the kind's number; none for tools.
    private let items: [[ExposedItem]]
    /// By the kind's number.
    private let lists: [RenderedList]
    private let prohibitions: [Prohibition]
    private let views: ListViews
    /// By the kind's number, where each name stands in its list.
    private let byName: [[String: Int]]

    /// Catalogues by upstream; one that is absent is not known at present.
    package init(
        _ definition: VirtualServerDefinition, catalogues: [String: Catalogue], prohibitions: [Prohibition] = [], pageLength: Int = 1_000
    ) {
        var builder = ExposureBuilder(definition)
        for selection in definition.tools { builder.add(selection, from: catalogues[selection.pattern.upstream]) }
        for selection in definition.prompts { builder.addPrompts(selection, from: catalogues[selection.upstream]?.offer) }
        for selection in definition.resources { builder.addResources(selection, from: catalogues[selection.upstream]?.offer) }
        builder.finish()
        self.definition = definition
        tools = builder.tools
        items = builder.items
        // Tools stand first, so that one number finds a tool and its rules.
        let subjects = builder.tools.map(\.subject) + builder.items.joined().map(\.subject)
        policy = AccessPolicy(definition.access, at: definition.accessPosition, prohibitions: prohibitions, subjects: subjects)
        self.prohibitions = prohibitions
        views = ListViews(pageLength: pageLength)
        offers = catalogues.mapValues(\.offer)
        missingUpstreams = Set(definition.upstreams.filter { catalogues[$0] == nil })
        // Patterns may be about what an upstream has that is away.
        ruleProblems = missingUpstreams.isEmpty ? RuleCheck(subjects).problems(of: definition.access) : []
        problems = builder.problems + ruleProblems
        warnings = builder.warnings
        byName = builder.byName
        lists = ListKind.allCases.map { kind in
            kind == .tools
                ? RenderedList(builder.tools.map(\.listing), legacy: builder.tools.map(\.legacyListing), pageLength: pageLength)
                : RenderedList(builder.items[kind.rawValue].map(\.listing), pageLength: pageLength)
        }
        var info: JSONValue = ["name": .string(definition.name), "version": .string(Product.version)]
        info["title"] = definition.title.map { .string($0) }
        serverInfo = info
    }

    /// In the order of the selections, then of the upstream; none for tools.
    package func items(of kind: ListKind) -> [ExposedItem] { items[kind.rawValue] }

    /// The whole list, as callers see it who may use everything.
    package func list(of kind: ListKind) -> RenderedList { lists[kind.rawValue] }

    /// By exact code points: `==` takes the Kelvin sign for a K.
    package func index(of name: String) -> Int? {
        byName[ListKind.tools.rawValue][name].flatMap { tools[$0].name.utf8.elementsEqual(name.utf8) ? $0 : nil }
    }

    package subscript(name: String) -> ExposedTool? { index(of: name).map { tools[$0] } }

    /// The listed item of that name.
    func item(_ kind: ListKind, named name: String) -> ExposedItem? {
        byName[kind.rawValue][name].map { items[kind.rawValue][$0] }.flatMap { $0.name.utf8.elementsEqual(name.utf8) ? $0 : nil }
    }

    /// The lists that are not the same for some caller, wherever the rules stand.
    package func differences(from other: Exposure) -> Set<ListKind> {
        let isSameForAll =
            definition.access.text == other.definition.access.text && prohibitions.map(\.text) == other.prohibitions.map(\.text)
        return Set(ListKind.allCases.filter { !isSameForAll || list(of: $0).pages != other.list(of: $0).pages })
    }

    /// The lists as callers with that access see them.
    package func view(for access: Access) -> ListView { views.view(of: self, for: access) }

    /// Whether callers with that access see the tool.
    package func isListed(_ index: Int, for access: Access) -> Bool { access.narrowings(of: index, in: tools[index].space) != nil }
}

extension VirtualServerDefinition {
    /// The upstreams that it draws on, each once, in the order written.
    package var upstreams: [String] {
        var seen: Set<String> = []
        return (tools.map(\.pattern) + prompts + resources).map(\.upstream).filter { seen.insert($0).inserted }
    }

    /// What clients call something of that name, where no `as:` says otherwise.
    func exposedName(of name: String, from upstream: String) -> String { naming.exposedName(of: name, from: upstream) }
}
