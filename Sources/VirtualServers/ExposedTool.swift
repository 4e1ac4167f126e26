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
    /// nil when arguments pass through as they came.
    package let shaping: ArgumentShaping?
    /// The parameters that clients mirror in headers.
    package let headerParameters: [HeaderParameter]
    /// The parameters that the upstream wants mirrored.
    package let upstreamHeaderParameters: [HeaderParameter]
    /// Where the virtual server selects it.
    package let position: SourcePosition

    init(_ definition: ToolDefinition, as name: String, selection: ToolSelection) throws(ToolDefinition.Unusable) {
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
        listing = replaced.isEmpty ? definition.bytes : definition.replacing(replaced)
        if let output = definition.json["outputSchema"], output["type"] != "object", var json = try? JSONValue(parsing: listing) {
            json["outputSchema"] = nil
            legacyListing = json.bytes
        } else {
            legacyListing = listing
        }
        headerParameters = try HeaderParameter.all(in: schema)
        upstreamHeaderParameters = definition.headerParameters
        position = selection.pattern.position
    }
}
