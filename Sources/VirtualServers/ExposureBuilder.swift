import Auth
import Diagnostics
import JSON
import MCPProtocol

/// Holds the selections of a virtual server against what the upstreams offer.
struct ExposureBuilder {
    let definition: VirtualServerDefinition
    var tools: [ExposedTool] = []
    /// By the kind's number; none for tools.
    var items = ListKind.allCases.map { _ in [ExposedItem]() }
    /// By the kind's number, where each name stands in its list.
    var byName = ListKind.allCases.map { _ in [String: Int]() }
    var problems: [Problem] = []
    var warnings: [Problem] = []
    /// Resources that an earlier selection of another upstream has already.
    private var hidden: [Hidden] = []
    private var taken: Set<UpstreamTool> = []

    private struct UpstreamTool: Hashable {
        let upstream: String
        let name: String
    }

    /// What several resources of one upstream are hidden by.
    private struct Hidden {
        let selection: UpstreamPattern
        let winner: UpstreamPattern
        let example: String
        var count = 1
    }

    init(_ definition: VirtualServerDefinition) { self.definition = definition }

    // MARK: - Tools

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
        let name = selection.exposedName ?? definition.exposedName(of: tool.name, from: pattern.upstream)
        guard isFit(name) else {
            problems.append(
                Problem(
                    "\"\(name)\" does not fit the form [A-Za-z0-9_-]{1,64} of tool names", at: pattern.position,
                    fix: "give it one with `as:`"))
            return
        }
        if let other = byName[ListKind.tools.rawValue][name] {
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
            byName[ListKind.tools.rawValue][name] = tools.count
            taken.insert(UpstreamTool(upstream: pattern.upstream, name: tool.name))
            tools.append(exposed)
        } catch {
            problems.append(Problem(error.reason, at: pattern.position, fix: "leave the tool out"))
        }
    }

    // MARK: - Prompts

    /// A prompt that several selections take is exposed by the first.
    mutating func addPrompts(_ selection: UpstreamPattern, from offer: Offer?) {
        guard let offer else { return }
        let glob = selection.isExact ? Glob(literally: selection.glob) : Glob(selection.glob)
        let matching = offer.prompts.filter { glob.matches($0.name) }
        if matching.isEmpty { noteNothing(selection, among: offer.prompts.map(\.name), .prompts) }
        for prompt in matching {
            let name = definition.exposedName(of: prompt.name, from: selection.upstream)
            if let other = byName[ListKind.prompts.rawValue][name].map({ items[ListKind.prompts.rawValue][$0] }) {
                guard other.upstream != selection.upstream || other.upstreamName != prompt.name else { continue }
                problems.append(
                    Problem(
                        "the prompts \"\(selection.upstream).\(prompt.name)\" and \"\(other.upstream).\(other.upstreamName)\" (\(other.position)) would both be called \"\(name)\"",
                        at: selection.position, fix: "select one of them only, or leave out `names: plain`"))
            } else if isFit(name) {
                expose(prompt, .prompts, as: name, selection)
            } else {
                problems.append(
                    Problem(
                        "\"\(name)\" does not fit the form [A-Za-z0-9_-]{1,64} of prompt names", at: selection.position,
                        fix: "select the others by name"))
            }
        }
    }

    // MARK: - Resources

    /// Resources keep their URIs: where two upstreams have the same, the first selected has it. Templates follow.
    mutating func addResources(_ selection: UpstreamPattern, from offer: Offer?) {
        guard let offer else { return }
        var count = 0
        for kind in [ListKind.resources, .templates] {
            let glob = Glob(selection.glob)
            for item in offer.items(of: kind) where kind == .templates ? selection.takes(item.name, kind) : glob.matches(item.name) {
                count += 1
                guard let other = byName[kind.rawValue][item.name].map({ items[kind.rawValue][$0] }) else {
                    expose(item, kind, as: item.name, selection)
                    continue
                }
                if other.upstream != selection.upstream { noteHidden(item.name, selection, by: other) }
            }
        }
        // What is in no list can be read too, where all of it is selected.
        if count == 0, !offer.hasResources || selection.glob != "*" { noteNothing(selection, among: offer.resources.map(\.name), .resources) }
    }

    private mutating func noteHidden(_ name: String, _ selection: UpstreamPattern, by other: ExposedItem) {
        if let index = hidden.firstIndex(where: { $0.selection == selection && $0.winner.upstream == other.upstream }) {
            hidden[index].count += 1
        } else {
            let winner = UpstreamPattern(upstream: other.upstream, glob: "*", position: other.position)
            hidden.append(Hidden(selection: selection, winner: winner, example: name))
        }
    }

    /// Numbers the items as the policy's subjects, behind the tools, and says what is hidden, once for each pair of upstreams.
    mutating func finish() {
        var number = tools.count
        for kind in items.indices {
            for place in items[kind].indices {
                items[kind][place].index = number
                number += 1
            }
        }
        for one in hidden {
            let rest = one.count > 1 ? " and \(one.count - 1) more" : ""
            warnings.append(
                Problem(
                    "upstream \"\(one.selection.upstream)\" has the resource \(one.example)\(rest), as \"\(one.winner.upstream)\" does (\(one.winner.position)), which is listed first and is the one that is read",
                    at: one.selection.position, fix: "select the resources of one of them by their URIs, as in \(one.selection.upstream).scheme://*"))
        }
    }

    private mutating func expose(_ item: ItemDefinition, _ kind: ListKind, as name: String, _ selection: UpstreamPattern) {
        byName[kind.rawValue][name] = items[kind.rawValue].count
        items[kind.rawValue].append(ExposedItem(item, kind, as: name, selection: selection))
    }

    // MARK: - Both

    private mutating func noteNothing(_ selection: UpstreamPattern, among names: [String], _ kind: ListKind) {
        let near = selection.isExact ? suggestion(for: selection.glob, among: names).map { "did you mean \"\(selection.upstream).\($0)\"?" } : nil
        problems.append(
            Problem(
                "no \(kind.noun) of upstream \"\(selection.upstream)\" matches \"\(selection.glob)\"", at: selection.position,
                fix: near ?? (names.isEmpty ? "it has none" : "it has: \(names.prefix(20).joined(separator: ", "))")))
    }

    private func isFit(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte > 0x40 || (0x30...0x39).contains(byte) || byte == 0x5F
                    || byte == 0x2D
            }
    }
}
