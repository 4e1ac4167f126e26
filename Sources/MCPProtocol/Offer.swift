import JSON

/// All that an upstream offers: its lists, and what it said of itself when the link was opened.
package struct Offer: Hashable, Sendable {
    package var tools: [ToolDefinition] = []
    package var prompts: [ItemDefinition] = []
    package var resources: [ItemDefinition] = []
    package var templates: [ItemDefinition] = []
    /// Its hints for each list it gave some for.
    package var hints: [ListKind: CacheHint] = [:]
    package var capabilities: JSONValue
    package var instructions: String?

    package init(tools: [ToolDefinition] = [], capabilities: JSONValue = [:], instructions: String? = nil) {
        self.tools = tools
        self.capabilities = capabilities
        self.instructions = instructions
    }

    /// Whether it has resources at all, listed or not.
    package var hasResources: Bool { capabilities["resources"] != nil }
    /// Whether it tells of changes of a resource to those who subscribe.
    package var hasSubscriptions: Bool { capabilities["resources"]?["subscribe"] == true }
    package var hasCompletions: Bool { capabilities["completions"] != nil }

    /// The elements of a list of items; none for tools.
    package func items(of kind: ListKind) -> [ItemDefinition] {
        switch kind {
        case .tools: []
        case .prompts: prompts
        case .resources: resources
        case .templates: templates
        }
    }

    /// For how long those of its lists are good, at the least, whose changes it does not announce; nil where it does not say.
    package var shortestTime: Duration? {
        let told = hints.filter { capabilities[$0.key.capability]?["listChanged"] != true }
        return told.values.map(\.ttl).min().map { .milliseconds(min($0, 86_400_000)) }
    }

    /// Takes over what was read of those lists.
    package mutating func take(_ kinds: Set<ListKind>, from read: Offer) {
        (capabilities, instructions) = (read.capabilities, read.instructions)
        for kind in kinds {
            hints[kind] = read.hints[kind]
            switch kind {
            case .tools: tools = read.tools
            case .prompts: prompts = read.prompts
            case .resources: resources = read.resources
            case .templates: templates = read.templates
            }
        }
    }

    /// The lists that are not the same in both.
    package func differences(from other: Offer) -> Set<ListKind> {
        Set(ListKind.allCases.filter { $0 == .tools ? tools != other.tools : items(of: $0) != other.items(of: $0) })
    }
}
