import Diagnostics
import VirtualServers

/// Reads `tools:` of a virtual server.
struct ToolReader {
    /// A selection and where its exposed name is decided.
    private struct Selected {
        var selection: ToolSelection
        var namePosition: SourcePosition
    }

    let patterns: PatternReader
    let naming: VirtualServerDefinition.Naming

    func read(_ node: YAMLNode, _ findings: inout Findings) -> [ToolSelection] {
        var selected: [Selected] = []
        for element in node.elements("tools", &findings) ?? [] {
            guard let next = readOne(element, &findings) else { continue }
            if let earlier = selected.first(where: { $0.selection.pattern.covers(next.selection.pattern) }) {
                refuse(next.selection.pattern, behind: earlier.selection.pattern, &findings)
                continue
            }
            selected.append(next)
        }
        checkNames(selected, &findings)
        return selected.map(\.selection)
    }

    private func readOne(_ node: YAMLNode, _ findings: inout Findings) -> Selected? {
        guard case .mapping = node.content else {
            guard let pattern = patterns.read(node, "tools", &findings), check(pattern, isNamed: false, &findings) else { return nil }
            return Selected(selection: ToolSelection(pattern: pattern), namePosition: pattern.position)
        }
        let keys = Section.Keys(known: ["tool", "as", "description", "arguments"])
        guard let section = Section(node, "an entry of `tools`", keys, &findings) else { return nil }
        guard let tool = section["tool"] else {
            findings.add("this entry does not say which tool", at: node.position, fix: "write `- tool: \(patterns.upstreams.example).NAME`")
            return nil
        }
        let pattern = patterns.read(tool, "tool", &findings)
        let exposed = section["as"].flatMap { $0.text("as", &findings) }
        let description = section["description"].flatMap { $0.text("description", &findings) }
        let arguments = section["arguments"].map { readArguments($0, &findings) } ?? []
        guard let pattern, check(pattern, isNamed: section["as"] != nil, &findings) else { return nil }
        if let exposed, let node = section["as"] { check(exposed, of: pattern, at: node.position, &findings) }
        if description != nil, !pattern.isExact {
            findings.warn(
                "every tool that \(pattern.upstream).\(pattern.glob) takes gets this one description", at: section.position(of: "description"),
                fix: "name the tools one by one")
        }
        return Selected(
            selection: ToolSelection(pattern: pattern, exposedName: exposed, description: description, arguments: arguments),
            namePosition: section["as"]?.position ?? pattern.position)
    }

    /// Signs that are patterns elsewhere stand for themselves here, and no name that clients could be shown holds them.
    private func check(_ pattern: UpstreamPattern, isNamed: Bool, _ findings: inout Findings) -> Bool {
        guard pattern.glob.contains(where: { "[]{}|".contains($0) }), !(pattern.isExact && isNamed) else { return true }
        findings.add(
            "\(quoted("\(pattern.upstream).\(pattern.glob)")) can take no tool: only * and ? are patterns, and brackets stand for themselves",
            at: pattern.position, fix: "write an entry for each tool, or use * and ?")
        return false
    }

    private func check(_ exposed: String, of pattern: UpstreamPattern, at position: SourcePosition, _ findings: inout Findings) {
        if !pattern.isExact {
            findings.add(
                "`as` gives one name to all that \(pattern.upstream).\(pattern.glob) takes", at: position,
                fix: "name one tool, or remove `as`")
        } else if !ExposedName.fits(exposed) {
            findings.add("\(quoted(exposed)) is no name for a tool", at: position, fix: "use 1 to 64 of A-Z, a-z, 0-9, _ and -")
        }
    }

    private func refuse(_ pattern: UpstreamPattern, behind earlier: UpstreamPattern, _ findings: inout Findings) {
        let name = "\(pattern.upstream).\(pattern.glob)"
        if earlier.glob == pattern.glob {
            findings.add("\(name) stands here a second time; the first is at \(earlier.position)", at: pattern.position, fix: "keep one of them")
        } else {
            // Rules written here would silently not hold.
            findings.add(
                "\(name) never applies, for \(earlier.upstream).\(earlier.glob) at \(earlier.position) takes it first", at: pattern.position,
                fix: "move it above that line")
        }
    }

    /// Exposed names that are certain today must fit and differ; those of patterns are known when the upstream's list is.
    private func checkNames(_ selected: [Selected], _ findings: inout Findings) {
        var places: [String: SourcePosition] = [:]
        for tool in selected where tool.selection.pattern.isExact {
            let name = ExposedName.of(tool.selection, naming)
            guard ExposedName.fits(name) else {
                if tool.selection.exposedName == nil {
                    let reason = name.utf8.count > 64 ? "is longer than 64 characters" : "holds more than A-Z, a-z, 0-9, _ and -"
                    findings.add("the exposed name \(quoted(name)) \(reason)", at: tool.namePosition, fix: "give it another with `as:`")
                }
                continue
            }
            if let first = places[name] {
                findings.add(
                    "two tools would be called \(quoted(name)); the other is at \(first)", at: tool.namePosition,
                    fix: "give one of them another name with `as:`")
            } else {
                places[name] = tool.namePosition
            }
        }
    }

    private func readArguments(_ node: YAMLNode, _ findings: inout Findings) -> [ArgumentRule] {
        var rules: [ArgumentRule] = []
        for entry in node.entries("`arguments`", &findings) ?? [] {
            if let rule = ArgumentReader.read(entry, &findings) { rules.append(rule) }
        }
        return rules
    }
}
