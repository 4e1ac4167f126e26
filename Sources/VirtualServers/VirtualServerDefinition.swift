import Auth
import Diagnostics
import JSON

/// A team's virtual server as written in `virtual-servers/NAME.yaml`, checked for form but not yet held against upstream lists.
package struct VirtualServerDefinition: Hashable, Sendable {
    /// How exposed names are made where `as:` does not give one.
    package enum Naming: Hashable, Sendable { case prefixed, plain }
    /// What a pattern does with tools that appear after the baseline.
    package enum NewTools: Hashable, Sendable { case hold, show }
    /// `[a-z0-9-]{1,32}`: the file's name without `.yaml`.
    package var name: String
    package var title: String?
    package var description: String?
    package var instructions: String?
    package var naming: Naming
    /// In the order written; the first selection that takes a tool decides.
    package var tools: [ToolSelection]
    package var prompts: [UpstreamPattern]
    package var resources: [UpstreamPattern]
    package var newTools: NewTools
    /// Who may use it.
    package var access: AccessRule
    /// Where `access` or `roles` stands.
    package var accessPosition: SourcePosition
    package var position: SourcePosition

    package init(
        name: String, title: String? = nil, description: String? = nil, instructions: String? = nil, naming: Naming = .prefixed,
        tools: [ToolSelection] = [], prompts: [UpstreamPattern] = [], resources: [UpstreamPattern] = [], newTools: NewTools = .hold,
        access: AccessRule = .everyone, accessPosition: SourcePosition? = nil, position: SourcePosition
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.instructions = instructions
        self.naming = naming
        self.tools = tools
        self.prompts = prompts
        self.resources = resources
        self.newTools = newTools
        self.access = access
        self.accessPosition = accessPosition ?? position
        self.position = position
    }
}

/// `upstream.name`, where the name may be a glob (`*` any run, `?` one character). The upstream's name holds no dot.
package struct UpstreamPattern: Hashable, Sendable {
    package var upstream: String
    package var glob: String
    package var position: SourcePosition

    package init(upstream: String, glob: String, position: SourcePosition) {
        self.upstream = upstream
        self.glob = glob
        self.position = position
    }

    package var isExact: Bool { !glob.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") } }
}

/// One entry of `tools:`, short (`upstream.tool`) or long (`tool:`, `as:`, `description:`, `arguments:`).
package struct ToolSelection: Hashable, Sendable {
    package var pattern: UpstreamPattern
    /// `as:`, only with an exact pattern.
    package var exposedName: String?
    package var description: String?
    package var arguments: [ArgumentRule]

    package init(pattern: UpstreamPattern, exposedName: String? = nil, description: String? = nil, arguments: [ArgumentRule] = []) {
        self.pattern = pattern
        self.exposedName = exposedName
        self.description = description
        self.arguments = arguments
    }
}

/// What a virtual server makes of one argument of a tool. `fixed` excludes the others; `hidden` excludes `allow`.
package struct ArgumentRule: Hashable, Sendable {
    package var name: String
    /// Always sent, never shown.
    package var fixed: JSONValue?
    /// Sent when the caller leaves it out.
    package var `default`: JSONValue?
    /// The only values that a caller may send; nil for any.
    package var allow: [JSONValue]?
    /// Not shown; a value from the caller is refused.
    package var hidden: Bool
    package var position: SourcePosition

    package init(
        name: String, fixed: JSONValue? = nil, default: JSONValue? = nil, allow: [JSONValue]? = nil, hidden: Bool = false,
        position: SourcePosition
    ) {
        self.name = name
        self.fixed = fixed
        self.default = `default`
        self.allow = allow
        self.hidden = hidden
        self.position = position
    }
}
