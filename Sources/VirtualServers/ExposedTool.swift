import Auth
import Diagnostics
import JSON
import MCPProtocol

/// A tool as a virtual server shows it, and where a call of it goes.
package struct ExposedTool: Sendable {
    /// What clients call it, `[A-Za-z0-9_-]{1,64}`.
    package let name: String
    package let upstream: String
    /// What the upstream calls it.
    package let upstreamName: String
    /// The definition that clients see, as JSON.
    package let listing: [UInt8]
    /// The same for clients of the legacy era, where that differs: there an `outputSchema` describes an object or is not there.
    package let legacyListing: [UInt8]
    /// The schema of the arguments that clients see where no rule narrows it.
    package let schema: JSONValue
    /// The tool as rules see it.
    package let subject: Subject
    /// nil when arguments pass through as they came.
    package let shaping: ArgumentShaping?
    /// Whether the upstream takes a call of it as a task.
    package let taskSupport: TaskSupport
    /// The parameters that clients mirror in headers.
    package let headerParameters: [HeaderParameter]
    /// The parameters that the upstream wants mirrored.
    package let upstreamHeaderParameters: [HeaderParameter]
    /// Where the virtual server selects it.
    package let position: SourcePosition

    init(_ definition: ToolDefinition, as name: String, selection: ToolSelection) throws(Unusable) {
        var replaced: [(key: String, value: JSONValue)] = []
        if name != definition.name { replaced.append(("name", .string(name))) }
        if let description = selection.description { replaced.append(("description", .string(description))) }
        var schema = definition.json["inputSchema"] ?? .null
        if selection.arguments.isEmpty {
            shaping = nil
        } else {
            let shaping = ArgumentShaping(selection.arguments)
            schema = shaping.schema(from: schema)
            replaced.append(("inputSchema", schema))
            self.shaping = shaping
        }
        self.name = name
        upstream = selection.pattern.upstream
        upstreamName = definition.name
        self.schema = schema
        subject = Subject(
            .tool, name: name, upstream: selection.pattern.upstream, upstreamName: definition.name,
            toolClass: ToolClass(annotations: definition.json["annotations"]), schema: definition.json["inputSchema"])
        let shown = definition.withOptionalTasks
        listing = replaced.isEmpty ? shown.bytes : shown.bytes.replacing(members: replaced)
        taskSupport = definition.taskSupport
        legacyListing = Self.legacy(listing)
        headerParameters = try HeaderParameter.all(in: schema)
        upstreamHeaderParameters = definition.headerParameters
        position = selection.pattern.position
    }
    /// Without an `outputSchema` that describes anything but an object.
    private static func legacy(_ listing: [UInt8]) -> [UInt8] {
        guard var json = try? JSONValue(parsing: listing), let output = json["outputSchema"], output["type"] != "object" else { return listing }
        json["outputSchema"] = nil
        return json.bytes
    }

    /// The definitions as a caller sees them who may send certain arguments only.
    func listings(narrowedBy narrowings: [Narrowing]) -> (listing: [UInt8], legacy: [UInt8]) {
        guard !narrowings.isEmpty, let definition = try? ToolDefinition(parsing: listing) else { return (listing, legacyListing) }
        let narrowed = definition.bytes.replacing(members: [("inputSchema", schema.narrowed(by: narrowings))])
        return (narrowed, Self.legacy(narrowed))
    }

    /// Where the arguments come from that rules judge.
    var space: ArgumentSpace {
        ArgumentSpace(schema: schema) { [shaping] name in shaping?.source(of: name) ?? .open(nil) }
    }
}

extension JSONValue {
    /// The schema with the allowed values as `enum`, arguments that can't be left out as `required`, and without those that may not be sent.
    func narrowed(by narrowings: [Narrowing]) -> JSONValue {
        narrowings.reduce(self) { $0.narrowed(by: $1, at: $1.path[...]) }
    }

    private func narrowed(by narrowing: Narrowing, at path: ArraySlice<String>) -> JSONValue {
        guard let key = path.first else {
            var schema = self
            schema["enum"] = narrowing.values.map { .array($0) }
            return schema
        }
        guard let property = self["properties"]?[key] else { return self }
        var schema = self
        if path.count == 1, narrowing.values == [] {
            schema["properties"]?[key] = nil
            schema["required"] = self["required"]?.array.map { .array($0.filter { $0 != .string(key) }) }
            return schema
        }
        if path.count > 1 || narrowing.values != nil { schema["properties"]?[key] = property.narrowed(by: narrowing, at: path.dropFirst()) }
        let required = self["required"]?.array ?? []
        if narrowing.isRequired, !required.contains(.string(key)) { schema["required"] = .array(required + [.string(key)]) }
        return schema
    }
}
