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
        guard uri.utf8.count <= ItemDefinition.nameBytesMax else { return nil }
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

    /// An upstream that is missing now and may have such a thing when it comes up.
    package func missingUpstream(thatMayExpose kind: ListKind, _ name: String) -> String? {
        switch kind {
        case .tools:
            definition.tools.first { selection in
                guard missingUpstreams.contains(selection.pattern.upstream) else { return false }
                return selection.exposedName.map { $0 == name } ?? mayExpose(selection.pattern, name)
            }?.pattern.upstream
        case .prompts: definition.prompts.first { missingUpstreams.contains($0.upstream) && mayExpose($0, name) }?.upstream
        case .resources, .templates: definition.resources.first { missingUpstreams.contains($0.upstream) && $0.takes(name, kind) }?.upstream
        }
    }

    private func mayExpose(_ pattern: UpstreamPattern, _ name: String) -> Bool {
        Glob(definition.exposedName(of: pattern.glob, from: pattern.upstream)).matches(name)
    }
}

extension UpstreamPattern {
    /// Whether it selects that URI, or some of those that the template stands for.
    func takes(_ name: String, _ kind: ListKind) -> Bool {
        let glob = Glob(glob)
        return kind == .templates ? glob.intersects(URITemplate(name).glob) : glob.matches(name)
    }
}
