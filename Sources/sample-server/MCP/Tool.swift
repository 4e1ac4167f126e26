import JSON

/// A tool: what clients see of it, and what it does.
struct Tool: Sendable {
    enum Action: Sendable {
        case quick(@Sendable (Arguments) throws(ToolFailure) -> ToolResult)
        /// Reports on its way, and ends early when its task is cancelled.
        case slow(@Sendable (Arguments, (Progress) async -> Void) async throws(ToolFailure) -> ToolResult)
        /// For the bench: the arguments' JSON text in, the result's members out.
        case raw(@Sendable (ArraySlice<UInt8>) -> [UInt8])
    }

    /// The annotations of MCP server/tools; hints, not promises.
    struct Hints: Sendable {
        var isReadOnly = false
        var isDestructive = false
        var isIdempotent = false
    }

    let name: String
    let title: String
    let description: String
    var hints = Hints()
    let input: JSONValue
    var output: JSONValue?
    let action: Action

    /// The tool as `tools/list` shows it.
    var definition: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("title", .string(title)), .init("description", .string(description)), .init("inputSchema", input),
        ]
        if let output { members.append(.init("outputSchema", output)) }
        members.append(
            .init(
                "annotations",
                [
                    "readOnlyHint": .bool(hints.isReadOnly), "destructiveHint": .bool(hints.isDestructive),
                    "idempotentHint": .bool(hints.isIdempotent), "openWorldHint": false,
                ]))
        return .object(members)
    }
}

/// What a tool answers when it could not do what was asked; the model reads it (`isError`).
struct ToolFailure: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

/// What a tool answers: text for people and models, and the same as data.
struct ToolResult {
    let text: String
    var data: JSONValue?
    var isError = false

    /// The members of a `CallToolResult`, without the braces.
    var members: [UInt8] {
        var bytes = Array("\"content\":[{\"type\":\"text\",\"text\":".utf8)
        bytes.append(jsonString: text)
        bytes.append("}]")
        if let data {
            bytes.append(",\"structuredContent\":")
            bytes.append(json: data)
        }
        bytes.append(isError ? ",\"isError\":true" : ",\"isError\":false")
        return bytes
    }
}
