import Auth
import MCPProtocol

/// Something that a virtual server exposes, as a call means it.
package enum Exposed: Sendable {
    /// By its place among the tools.
    case tool(Int)
    case item(ExposedItem)
}

extension Exposure {
    /// What a call of that kind and name means; nil where there is no such thing.
    ///
    /// A resource is looked for in the lists, then among the templates. What is in neither belongs to the only upstream that can have it:
    /// servers need not list all that can be read (MCP 2026-07-28 server/tools, "Resource Links").
    package func find(_ kind: ListKind, _ name: String) -> Exposed? {
        switch kind {
        case .tools: index(of: name).map { .tool($0) }
        case .prompts, .templates: item(kind, named: name).map { .item($0) }
        case .resources: (item(.resources, named: name) ?? unlisted(name)).map { .item($0) }
        }
    }

    private func unlisted(_ uri: String) -> ExposedItem? {
        guard uri.utf8.count <= ItemDefinition.nameBytesMax, URISpelling.isPlain(uri) else { return nil }
        for template in items(of: .templates) where template.template?.matches(uri) == true {
            let selection = definition.resources.first { $0.upstream == template.upstream && $0.takes(uri, .resources) }
            if let selection { return ExposedItem(unlisted: uri, of: selection) }
        }
        let owners = definition.resources.filter { $0.takes(uri, .resources) && offers[$0.upstream]?.hasResources != false }
        guard let owner = owners.first, Set(owners.map(\.upstream)).count == 1, !missingUpstreams.contains(owner.upstream) else { return nil }
        return ExposedItem(unlisted: uri, of: owner)
    }

    /// What a completion's reference to a resource means: a template by its text, else a resource by its URI.
    package func findCompletable(_ uri: String) -> Exposed? { find(.templates, uri) ?? find(.resources, uri) }

    /// Such a thing of an upstream that is missing now and may have it.
    package func missing(_ kind: ListKind, named name: String) -> UnknownSubject? {
        switch kind {
        case .tools:
            let selection = definition.tools.first { selection in
                guard missingUpstreams.contains(selection.pattern.upstream) else { return false }
                return selection.exposedName.map { $0 == name } ?? mayExpose(selection.pattern, name)
            }
            return selection.map { unknown(.tool, name, of: $0.pattern) }
        case .prompts:
            let pattern = definition.prompts.first { missingUpstreams.contains($0.upstream) && mayExpose($0, name) }
            return pattern.map { unknown(.prompt, name, of: $0) }
        case .resources, .templates:
            let pattern = definition.resources.first { missingUpstreams.contains($0.upstream) && $0.takes(name, kind) }
            return pattern.map { pattern in
                UnknownSubject(.resource, name: Glob(literally: name), upstream: pattern.upstream, upstreamName: Glob(literally: name))
            }
        }
    }

    private func unknown(_ kind: Subject.Kind, _ name: String, of pattern: UpstreamPattern) -> UnknownSubject {
        let own = definition.naming == .plain ? name : String(name.dropFirst(pattern.upstream.count + 1))
        return UnknownSubject(
            kind, name: Glob(literally: name), upstream: pattern.upstream, upstreamName: Glob(literally: pattern.isExact ? pattern.glob : own))
    }

    private func mayExpose(_ pattern: UpstreamPattern, _ name: String) -> Bool {
        Glob(definition.exposedName(of: pattern.glob, from: pattern.upstream)).matches(name)
    }

    /// Whether callers with that access may use something of that upstream, as far as can be told while it is missing.
    package func isOfUse(_ upstream: String, to access: Access) -> Bool {
        guard missingUpstreams.contains(upstream) else {
            return tools.indices.contains { tools[$0].upstream == upstream && isListed($0, for: access) }
                || ListKind.allCases.contains { items(of: $0).contains { $0.upstream == upstream && $0.isListed(for: access) } }
        }
        var selected = definition.tools.map { (Subject.Kind.tool, $0.pattern, definition.exposedName(of: $0)) }
        selected += definition.prompts.map { (.prompt, $0, definition.exposedName(of: $0.glob, from: $0.upstream)) }
        selected += definition.resources.map { (.resource, $0, $0.glob) }
        return selected.contains { kind, pattern, name in
            pattern.upstream == upstream
                && access.allowance(of: UnknownSubject(kind, name: Glob(name), upstream: upstream, upstreamName: Glob(pattern.glob))) != nil
        }
    }
}

extension UpstreamPattern {
    /// Whether it selects that URI, or some of those that the template stands for.
    func takes(_ name: String, _ kind: ListKind) -> Bool {
        let glob = Glob(glob)
        return kind == .templates ? glob.intersects(URITemplate(name).glob) : glob.matches(name)
    }
}
