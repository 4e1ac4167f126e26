import JSON

/// The lists that a server can have.
package enum ListKind: Int, CaseIterable, Hashable, Sendable {
    case tools, prompts, resources, templates

    /// The kind that a method lists; nil for other methods.
    package init?(listedBy method: Method?) {
        guard let kind = Self.allCases.first(where: { $0.method == method }) else { return nil }
        self = kind
    }

    package var method: Method {
        switch self {
        case .tools: .listTools
        case .prompts: .listPrompts
        case .resources: .listResources
        case .templates: .listResourceTemplates
        }
    }

    /// The member of the result that holds the elements.
    package var member: StaticString {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources: "resources"
        case .templates: "resourceTemplates"
        }
    }

    /// The member of an element that tells it from the others.
    package var key: String {
        switch self {
        case .tools, .prompts: "name"
        case .resources: "uri"
        case .templates: "uriTemplate"
        }
    }

    /// The capability that a server with such a list declares.
    package var capability: String { self == .templates ? "resources" : member.description }

    /// One element, for people.
    package var noun: String {
        switch self {
        case .tools: "tool"
        case .prompts: "prompt"
        case .resources: "resource"
        case .templates: "resource template"
        }
    }
}
