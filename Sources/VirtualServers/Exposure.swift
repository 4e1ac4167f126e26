import Auth
import Diagnostics
import JSON
import MCPProtocol

/// A virtual server held against what its upstreams offer now: the tools that exist, ready to be listed and called.
package struct Exposure: Sendable {
    package let definition: VirtualServerDefinition
    /// In the order of the selections, then of the upstream.
    package let tools: [ExposedTool]
    /// What does not fit, for `check` and the log.
    package let problems: [Problem]
    /// Those of them that are rules without effect.
    package let ruleProblems: [Problem]
    /// The names of upstreams that have not been read yet or are down.
    package let missingUpstreams: Set<String>
    /// Each page's tools as JSON, joined by commas.
    package let pages: [[UInt8]]
    /// The same for clients of the legacy era.
    package let legacyPages: [[UInt8]]
    /// The virtual server's name, version and title as it introduces itself, an `Implementation`.
    package let serverInfo: JSONValue
    /// Who may do what; asked by list and call alike.
    package let policy: AccessPolicy
    private let prohibitions: [Prohibition]
    private let views: ListViews
    private let byName: [String: Int]

    /// Catalogues by upstream; one that is absent is not known at present.
    package init(
        _ definition: VirtualServerDefinition, catalogues: [String: Catalogue], prohibitions: [Prohibition] = [], pageLength: Int = 1_000
    ) {
        var builder = ExposureBuilder(definition)
        for selection in definition.tools { builder.add(selection, from: catalogues[selection.pattern.upstream]) }
        self.definition = definition
        tools = builder.tools
        policy = AccessPolicy(
            definition.access, at: definition.accessPosition, prohibitions: prohibitions, subjects: tools.map(\.subject))
        self.prohibitions = prohibitions
        views = ListViews(pageLength: pageLength)
        missingUpstreams = Set(definition.upstreams.filter { catalogues[$0] == nil })
        // Patterns may be about what an upstream has that is away.
        ruleProblems = missingUpstreams.isEmpty ? RuleCheck(tools.map(\.subject)).problems(of: definition.access) : []
        problems = builder.problems + ruleProblems
        byName = builder.byName
        pages = Self.pages(of: tools.map(\.listing), length: pageLength)
        legacyPages = Self.pages(of: tools.map(\.legacyListing), length: pageLength)
        var info: JSONValue = ["name": .string(definition.name), "version": .string(Product.version)]
        info["title"] = definition.title.map { .string($0) }
        serverInfo = info
    }

    static func pages(of listings: [[UInt8]], length: Int) -> [[UInt8]] {
        stride(from: 0, to: max(listings.count, 1), by: length).map { start in
            Array(listings[start..<min(start + length, listings.count)].joined(separator: [UInt8(ascii: ",")]))
        }
    }

    /// A tool of that name that an upstream may have which is missing now.
    package func missingTool(named name: String) -> UnknownTool? {
        let selection = definition.tools.first { selection in
            missingUpstreams.contains(selection.pattern.upstream) && Glob(definition.exposedName(of: selection)).matches(name)
        }
        guard let pattern = selection?.pattern else { return nil }
        let own = definition.naming == .plain ? name : String(name.dropFirst(pattern.upstream.count + 1))
        return UnknownTool(name: Glob(name), upstream: pattern.upstream, upstreamName: Glob(pattern.isExact ? pattern.glob : own))
    }

    /// Whether callers with that access may use a tool of that upstream, as far as can be told while it is missing.
    package func isOfUse(_ upstream: String, to access: Access) -> Bool {
        guard missingUpstreams.contains(upstream) else {
            return tools.indices.contains { tools[$0].upstream == upstream && isListed($0, for: access) }
        }
        return definition.tools.contains { selection in
            let pattern = selection.pattern
            let name = Glob(definition.exposedName(of: selection))
            return pattern.upstream == upstream
                && access.allowance(of: UnknownTool(name: name, upstream: upstream, upstreamName: Glob(pattern.glob))) != nil
        }
    }

    /// By exact code points: `==` takes the Kelvin sign for a K.
    package func index(of name: String) -> Int? {
        byName[name].flatMap { tools[$0].name.utf8.elementsEqual(name.utf8) ? $0 : nil }
    }

    package subscript(name: String) -> ExposedTool? { index(of: name).map { tools[$0] } }

    /// Whether every caller sees the same list in both, wherever the rules stand.
    package func isShown(as other: Exposure) -> Bool {
        pages == other.pages && definition.access.text == other.definition.access.text && prohibitions.map(\.text) == other.prohibitions.map(\.text)
    }

    /// The list as callers with that access see it.
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
}

private struct ExposureBuilder {
    let definition: VirtualServerDefinition
    var tools: [ExposedTool] = []
    var byName: [String: Int] = [:]
    var problems: [Problem] = []
    private var taken: Set<UpstreamTool> = []

    private struct UpstreamTool: Hashable {
        let upstream: String
        let name: String
    }

    init(_ definition: VirtualServerDefinition) { self.definition = definition }

    /// A tool that several selections take is exposed by the first exact one that names it, else by the first pattern;
    /// two exact selections may expose one tool twice under two names.
    mutating func add(_ selection: ToolSelection, from catalogue: Catalogue?) {
        guard let catalogue else { return }
        let pattern = selection.pattern
        if pattern.isExact {
            guard let tool = catalogue.tools.first(where: { $0.name == pattern.glob }) else {
                let near = suggestion(for: pattern.glob, among: catalogue.tools.map(\.name))
                problems.append(
                    Problem(
                        "upstream \"\(pattern.upstream)\" has no tool \"\(pattern.glob)\"", at: pattern.position,
                        fix: near.map { "did you mean \"\(pattern.upstream).\($0)\"?" } ?? "see what it has with `switchboard check --connect`"))
                return
            }
            expose(tool, selection)
            return
        }
        let glob = Glob(pattern.glob)
        let exact = Set(definition.tools.map(\.pattern).filter { $0.isExact && $0.upstream == pattern.upstream }.map(\.glob))
        var count = 0
        for tool in catalogue.tools where glob.matches(tool.name) {
            count += 1
            guard definition.newTools == .show || catalogue.baseline.contains(tool.name) else { continue }
            guard !exact.contains(tool.name), !taken.contains(UpstreamTool(upstream: pattern.upstream, name: tool.name)) else { continue }
            expose(tool, selection)
        }
        if count == 0 {
            problems.append(
                Problem(
                    "no tool of upstream \"\(pattern.upstream)\" matches \"\(pattern.glob)\"", at: pattern.position,
                    fix: catalogue.tools.isEmpty
                        ? "it has none" : "it has: \(catalogue.tools.prefix(20).map(\.name).joined(separator: ", "))"))
        }
    }

    private mutating func expose(_ tool: ToolDefinition, _ selection: ToolSelection) {
        let pattern = selection.pattern
        let name = selection.exposedName ?? (definition.naming == .plain ? tool.name : "\(pattern.upstream)_\(tool.name)")
        guard isFit(name) else {
            problems.append(
                Problem(
                    "\"\(name)\" does not fit the form [A-Za-z0-9_-]{1,64} of tool names", at: pattern.position,
                    fix: "give it one with `as:`"))
            return
        }
        if let other = byName[name] {
            problems.append(
                Problem(
                    "\"\(pattern.upstream).\(tool.name)\" and \"\(tools[other].upstream).\(tools[other].upstreamName)\" (\(tools[other].position)) would both be called \"\(name)\"",
                    at: pattern.position, fix: "rename one with `as:`"))
            return
        }
        do {
            let exposed = try ExposedTool(tool, as: name, selection: selection)
            for rule in exposed.shaping?.unknownArguments(in: tool.json["inputSchema"] ?? .null) ?? [] {
                let names = (tool.json["inputSchema"]?["properties"]?.members ?? []).map(\.key)
                let near = suggestion(for: rule.name, among: names)
                let others = names.isEmpty ? "remove the rule, for it has none" : "there are: \(names.prefix(20).joined(separator: ", "))"
                problems.append(
                    Problem(
                        "tool \"\(pattern.upstream).\(tool.name)\" has no argument \"\(rule.name)\"", at: rule.position,
                        fix: near.map { "did you mean \"\($0)\"?" } ?? others))
            }
            byName[name] = tools.count
            taken.insert(UpstreamTool(upstream: pattern.upstream, name: tool.name))
            tools.append(exposed)
        } catch {
            problems.append(Problem(error.reason, at: pattern.position, fix: "leave the tool out"))
        }
    }

    private func isFit(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte > 0x40 || (0x30...0x39).contains(byte) || byte == 0x5F
                    || byte == 0x2D
            }
    }
}
