import Auth
import Diagnostics
import JSON
import MCPProtocol

/// A prompt, resource or resource template as a virtual server shows it, and where a use of it goes.
package struct ExposedItem: Sendable {
    package let kind: ListKind
    /// Of a prompt what clients call it, `[A-Za-z0-9_-]{1,64}`; of a resource its URI, of a template its text.
    package let name: String
    package let upstream: String
    /// What the upstream calls it.
    package let upstreamName: String
    /// The definition that clients see, as JSON; empty where it is not listed.
    package let listing: [UInt8]
    /// The item as rules see it.
    package let subject: Subject
    /// Where it stands among the subjects of the policy; nil for a resource that is not listed.
    package internal(set) var index: Int?
    /// Which URIs a template stands for.
    package let template: URITemplate?
    /// Where the virtual server selects it.
    package let position: SourcePosition

    init(_ definition: ItemDefinition, _ kind: ListKind, as name: String, selection: UpstreamPattern) {
        self.kind = kind
        self.name = name
        upstream = selection.upstream
        upstreamName = definition.name
        listing = name == definition.name ? definition.bytes : definition.bytes.replacing(members: [(kind.key, .string(name))])
        template = kind == .templates ? URITemplate(definition.name) : nil
        subject = Subject(
            kind == .prompts ? .prompt : .resource, name: name, upstream: selection.upstream, upstreamName: definition.name,
            schema: definition.schema, instances: template?.glob)
        index = nil
        position = selection.position
    }

    /// A resource that is in no list: one of a template, or one that its upstream does not list.
    init(unlisted uri: String, of selection: UpstreamPattern) {
        kind = .resources
        name = uri
        upstream = selection.upstream
        upstreamName = uri
        listing = []
        template = nil
        subject = Subject(.resource, name: uri, upstream: selection.upstream, upstreamName: uri)
        index = nil
        position = selection.position
    }
}
