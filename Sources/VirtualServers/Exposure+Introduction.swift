import JSON
import MCPProtocol

/// What a virtual server says of itself when a client connects.
extension Exposure {
    /// Instructions of one upstream beyond this are cut, in bytes.
    private static let instructionsMax = 8_192
    /// The same for all of them together.
    private static let allInstructionsMax = 65_536

    /// `ServerCapabilities` of the schema: what is selected, and what of it some upstream does, or may do when it comes up.
    package var capabilities: JSONValue {
        var capabilities: JSONValue = [:]
        if !definition.tools.isEmpty || definition.prompts.isEmpty && definition.resources.isEmpty {
            capabilities["tools"] = ["listChanged": true]
        }
        if serves(.prompts) { capabilities["prompts"] = ["listChanged": true] }
        if serves(.resources) {
            let canSubscribe = mayDo(definition.resources, \.hasSubscriptions)
            capabilities["resources"] = canSubscribe ? ["subscribe": true, "listChanged": true] : ["listChanged": true]
        }
        if mayComplete { capabilities["completions"] = [:] }
        capabilities["logging"] = [:]
        return capabilities
    }

    /// Whether the virtual server has such a list, be it empty.
    package func serves(_ kind: ListKind) -> Bool {
        switch kind {
        case .tools: true
        case .prompts: !definition.prompts.isEmpty
        case .resources, .templates: !definition.resources.isEmpty
        }
    }

    /// What the upstreams say of caching that list; nil where none says anything. An upstream that announces changes need not be asked again
    /// before it does.
    package func hint(for kind: ListKind) -> CacheHint? {
        var hint: CacheHint?
        for offer in offers.values {
            guard var next = offer.hints[kind] else { continue }
            if offer.capabilities[kind.capability]?["listChanged"] == true { next.ttl = .max }
            hint = hint?.merged(with: next) ?? next
        }
        return hint
    }

    package var mayComplete: Bool { mayDo(definition.prompts + definition.resources, \.hasCompletions) }

    private func mayDo(_ selections: [UpstreamPattern], _ feature: KeyPath<Offer, Bool>) -> Bool {
        selections.contains { offers[$0.upstream]?[keyPath: feature] ?? true }
    }

    /// The virtual server's own instructions, then those of each upstream under its name; nil where there are none.
    package var instructions: String? {
        var parts = definition.instructions.map { [$0] } ?? []
        var left = Self.allInstructionsMax
        for name in definition.upstreams {
            guard let text = offers[name]?.instructions, left > 0 else { continue }
            let part = text.printable(bytesMax: min(Self.instructionsMax, left))
            guard !part.isEmpty else { continue }
            left -= part.utf8.count
            parts.append("From \(name):\n\(part)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }
}

extension String {
    /// Without control characters but line breaks and tabs, and no longer than that; where it is cut, with an ellipsis.
    fileprivate func printable(bytesMax: Int) -> String {
        var out = String.UnicodeScalarView()
        var count = 0
        for scalar in unicodeScalars {
            if scalar != "\n", scalar != "\t", scalar.properties.generalCategory == .control { continue }
            count += UTF8.width(scalar)
            if count > bytesMax { return String(out) + "…" }
            out.append(scalar)
        }
        return String(out)
    }
}

extension Exposure {
    /// Whether the item's upstream completes arguments.
    package func canComplete(_ exposed: Exposed) -> Bool { offers[upstream(of: exposed)]?.hasCompletions == true }
}
