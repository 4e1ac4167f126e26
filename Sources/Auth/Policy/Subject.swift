import JSON

/// A thing that a virtual server exposes, as rules see it.
package struct Subject: Sendable {
    package enum Kind: Hashable, Sendable { case tool, prompt, resource }

    package let kind: Kind
    /// The exposed name; of a resource the URI.
    package let name: String
    package let upstream: String
    /// What the upstream calls it; of a resource the URI.
    package let upstreamName: String
    package let toolClass: ToolClass
    /// The schema of its arguments as the upstream has it; nil where it takes none.
    package let schema: JSONValue?
    /// Of a template, what the URIs look like that it stands for.
    package let instances: Glob?

    package init(
        _ kind: Kind, name: String, upstream: String, upstreamName: String, toolClass: ToolClass = [], schema: JSONValue? = nil,
        instances: Glob? = nil
    ) {
        self.kind = kind
        self.name = name
        self.upstream = upstream
        self.upstreamName = upstreamName
        self.toolClass = toolClass
        self.schema = schema
        self.instances = instances
    }
}

extension JSONValue {
    /// The schema of the argument at `path`; nil where none is written down.
    package func property(at path: [String]) -> JSONValue? {
        var schema = self
        for key in path {
            guard let next = schema["properties"]?.members?.first(where: { $0.key.utf8.elementsEqual(key.utf8) }) else { return nil }
            schema = next.value
        }
        return schema
    }

    /// Whether a schema of an object plainly has no argument at `path`: it lists its properties, nothing adds others, and that one is not there.
    package func plainlyLacks(_ path: [String]) -> Bool {
        var schema = self
        for key in path {
            guard schema["type"] == nil || schema["type"] == "object" else { return schema["type"]?.string != nil && schema["type"] != "array" }
            guard let properties = schema["properties"]?.members else { return schema["type"] == "object" && schema.isSimple }
            guard let next = properties.first(where: { $0.key.utf8.elementsEqual(key.utf8) }) else { return schema.isSimple }
            schema = next.value
        }
        return false
    }

    /// Whether what it says of properties stands in `properties` alone; `additionalProperties` counts only where it is a schema of its own.
    private var isSimple: Bool {
        ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas"].allSatisfy { self[$0] == nil }
            && self["additionalProperties"].map { $0.bool != nil } ?? true
    }
}
