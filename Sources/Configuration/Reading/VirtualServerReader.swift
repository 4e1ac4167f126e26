import Auth
import Diagnostics
import VirtualServers

/// Reads one file of a virtual server.
struct VirtualServerReader {
    let upstreams: KnownUpstreams

    /// The definition; nil where something is wrong, and it is noted.
    func read(_ bytes: [UInt8], file: NamedPath, _ findings: inout Findings) -> VirtualServerDefinition? {
        let start = SourcePosition(file: file.shown, line: 1, column: 1)
        let before = findings.problems.count
        let name = Self.name(of: file, at: start, &findings)
        let document = YAMLDocument(parsing: bytes, file: file.shown)
        findings.add(document.problems)
        guard let root = document.root else {
            if document.isEmpty { findings.add("this file is empty", at: start, fix: "write `tools: [upstream.tool]` and `access: everyone`") }
            return nil
        }
        guard let section = Section(root, "a virtual server", Self.keys, &findings) else { return nil }
        let naming = section["names"].flatMap {
            $0.choice("names", ["prefixed": VirtualServerDefinition.Naming.prefixed, "plain": .plain], &findings)
        }
        let access = access(section, naming ?? .prefixed, at: start, &findings)
        let newTools = section["new_tools"].flatMap {
            $0.choice("new_tools", ["hold": VirtualServerDefinition.NewTools.hold, "show": .show], &findings)
        }
        let beforeSelections = findings.problems.count
        let patterns = PatternReader(upstreams: upstreams)
        let tools = section["tools"].map { ToolReader(patterns: patterns, naming: naming ?? .prefixed).read($0, &findings) }
        let prompts = section["prompts"].map { patterns.readList($0, "prompts", &findings) }
        let resources = section["resources"].map { patterns.readList($0, "resources", &findings) }
        // Where a selection is wrong, what it would expose is not known.
        if case .roles(let roles)? = access, findings.problems.count == beforeSelections {
            let names = ExposableNames(tools: tools ?? [], prompts: prompts ?? [], resources: resources ?? [], naming ?? .prefixed)
            names.check(roles, &findings)
        }
        let title = section["title"].flatMap { $0.text("title", &findings) }
        let description = section["description"].flatMap { $0.text("description", &findings) }
        let instructions = section["instructions"].flatMap { $0.text("instructions", &findings) }
        guard let name, let access, findings.problems.count == before else { return nil }
        if [tools?.count, prompts?.count, resources?.count].allSatisfy({ $0 ?? 0 == 0 }) {
            findings.warn("\"\(name)\" offers nothing", at: start, fix: "write `tools: [upstream.tool]`")
        }
        return VirtualServerDefinition(
            name: name, title: title, description: description, instructions: instructions, naming: naming ?? .prefixed, tools: tools ?? [],
            prompts: prompts ?? [], resources: resources ?? [], newTools: newTools ?? .hold, access: access,
            accessPosition: section.position(of: section.has("roles") ? "roles" : "access"), position: start)
    }

    /// `[a-z0-9-]{1,32}` from `NAME.yaml`.
    private static func name(of file: NamedPath, at start: SourcePosition, _ findings: inout Findings) -> String? {
        let name = file.name.hasSuffix(".yaml") ? String(file.name.dropLast(5)) : file.name
        let fits = (1...32).contains(name.utf8.count) && UpstreamReader.isName(name) && !name.contains("_")
        if fits { return name }
        let better = UpstreamReader.fitting(name.replacing("_", with: "-"))
        findings.add(
            "the file's name is the virtual server's, and \(quoted(name)) does not fit", at: start,
            fix: "use 1 to 32 of a-z, 0-9 and -, e.g. \(better).yaml")
        return nil
    }

    /// Nobody gets in by omission.
    private func access(_ section: Section, _ naming: VirtualServerDefinition.Naming, at start: SourcePosition, _ findings: inout Findings)
        -> AccessRule?
    {
        if section.has("access"), section.has("roles") {
            findings.add(
                "`access` and `roles` both say who may use this", at: section.position(of: "access"),
                fix: "keep `roles`, or `access: everyone` to open it to all")
            return nil
        }
        if let access = section["access"] { return access.choice("access", ["everyone": AccessRule.everyone], &findings) }
        if let roles = section["roles"] { return .roles(RoleReader(naming: naming).read(roles, &findings)) }
        findings.add(
            "this virtual server does not say who may use it", at: start, fix: "write `roles`, or `access: everyone` to open it to all callers")
        return nil
    }

    private static let keys = Section.Keys(
        known: ["title", "description", "instructions", "names", "tools", "prompts", "resources", "new_tools", "access", "roles"],
        refused: [
            "policy": ("`policy` stands in gateway.yaml", "write it there, or deny it in a role"),
            "who": ("`who` belongs to a role", "write `roles: { NAME: { who: [group:NAME], allow: [TOOL] } }`"),
            "allow": ("`allow` belongs to a role", "write `roles: { NAME: { who: [group:NAME], allow: [TOOL] } }`"),
            "deny": ("`deny` belongs to a role", "write `roles: { NAME: { who: [group:NAME], deny: [TOOL] } }`"),
        ])
}
