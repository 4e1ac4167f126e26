import JSON

/// The few forms of JSON Schema 2020-12 that the sample tools need.
enum Schema {
    static func object(_ properties: [(String, JSONValue)], required: [String] = []) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "object"), .init("properties", .object(properties.map { JSONValue.Member($0.0, $0.1) })),
        ]
        if !required.isEmpty { members.append(.init("required", .array(required.map { .string($0) }))) }
        return .object(members)
    }

    static func string(_ description: String, oneOf values: [String] = [], default standard: JSONValue? = nil, header: String? = nil) -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", "string"), .init("description", .string(description))]
        if !values.isEmpty { members.append(.init("enum", .array(values.map { .string($0) }))) }
        if let standard { members.append(.init("default", standard)) }
        // Mirrored into `Mcp-Param-…` over HTTP (MCP 2026-07-28 basic/transports/streamable-http).
        if let header { members.append(.init("x-mcp-header", .string(header))) }
        return .object(members)
    }

    static func integer(_ description: String, in range: ClosedRange<Int>, default standard: JSONValue? = nil) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "integer"), .init("description", .string(description)), .init("minimum", .number(String(range.lowerBound))),
            .init("maximum", .number(String(range.upperBound))),
        ]
        if let standard { members.append(.init("default", standard)) }
        return .object(members)
    }

    static func number(_ description: String) -> JSONValue { ["type": "number", "description": .string(description)] }

    static func boolean(_ description: String, default standard: Bool) -> JSONValue {
        ["type": "boolean", "description": .string(description), "default": .bool(standard)]
    }

    static func array(of items: JSONValue, _ description: String) -> JSONValue {
        ["type": "array", "items": items, "description": .string(description)]
    }
}
