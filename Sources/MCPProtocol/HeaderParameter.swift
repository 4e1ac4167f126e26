import JSON

/// An argument that a modern HTTP request mirrors in a header (MCP 2026-07-28 basic/transports/streamable-http,
/// "Custom Headers from Tool Parameters").
package struct HeaderParameter: Hashable, Sendable {
    /// The whole field name, `Mcp-Param-…`.
    package let field: String
    /// The keys that lead from the arguments to the value.
    package let path: [String]

    /// All of a schema's; throws where an annotation breaks the rules, which makes the tool unusable.
    package static func all(in schema: JSONValue) throws(Unusable) -> [HeaderParameter] {
        var found: [HeaderParameter] = []
        try collect(from: schema, path: [], isReachable: true, into: &found)
        guard Set(found.map { $0.field.lowercased() }).count == found.count else {
            throw Unusable(reason: "two x-mcp-header annotations with one name")
        }
        return found
    }

    /// The header's value for these arguments; nil when it must be left out.
    package func value(in arguments: JSONValue) -> String? {
        switch path.reduce(arguments as JSONValue?, { $0?[$1] }) {
        case .string(let text): Self.encode(text)
        case .bool(let value): value ? "true" : "false"
        case .number(let text): Self.integer(text).map(String.init) ?? text
        default: nil
        }
    }

    /// Whether a header's value says what the arguments say ("Server Behavior for Custom Headers").
    package func matches(_ header: String?, in arguments: JSONValue) -> Bool {
        let value = path.reduce(arguments as JSONValue?, { $0?[$1] })
        guard let header else { return value == nil || value == .null || value?.members != nil || value?.array != nil }
        guard let decoded = Self.decode(header) else { return false }
        switch value {
        case .string(let text): return text == decoded
        case .bool(let flag): return decoded == (flag ? "true" : "false")
        case .number(let text):
            // The header must be a JSON number as well: `Double` would take `0x2A`, `+42` and `nan`.
            guard text != decoded else { return true }
            guard let a = Self.integer(text), case .number(let spelt)? = try? JSONValue(parsing: Array(decoded.utf8)), spelt == decoded else {
                return false
            }
            return a == Self.integer(spelt)
        default: return false
        }
    }

    /// "Value Encoding": plain where it is safe, else `=?base64?…?=`.
    package static func encode(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
        let isPadded = text.utf8.first.map { $0 <= 0x20 } ?? false || text.utf8.last.map { $0 <= 0x20 } ?? false
        let isSentinel = text.hasPrefix("=?base64?") && text.hasSuffix("?=")
        return isPlain && !isPadded && !isSentinel ? text : "=?base64?\(Base64.encode(Array(text.utf8)))?="
    }

    /// The text behind a header's value; nil where the encoding is malformed.
    package static func decode(_ value: String) -> String? {
        guard value.hasPrefix("=?base64?"), value.hasSuffix("?="), value.utf8.count >= 11 else {
            return value.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) ? value : nil
        }
        guard let bytes = Base64.decode(value.utf8.dropFirst(9).dropLast(2)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The integer that a JSON number means, however it is spelt, as far as doubles are exact.
    private static func integer(_ number: String) -> Int? {
        if let integer = Int(number) { return integer }
        guard let double = Double(number), abs(double) < 0x1p53 else { return nil }
        return Int(exactly: double)
    }

    private static func collect(
        from schema: JSONValue, path: [String], isReachable: Bool, into found: inout [HeaderParameter]
    ) throws(Unusable) {
        switch schema {
        case .array(let elements):
            for element in elements { try collect(from: element, path: path, isReachable: false, into: &found) }
        case .object(let members):
            if let annotation = schema["x-mcp-header"] {
                guard isReachable, !path.isEmpty else { throw Unusable(reason: "x-mcp-header at a place that no fixed path leads to") }
                found.append(HeaderParameter(field: "Mcp-Param-" + (try name(annotation, of: schema)), path: path))
            }
            for member in members where member.key != "x-mcp-header" {
                if member.key == "properties", isReachable, let properties = member.value.members {
                    for property in properties {
                        try collect(from: property.value, path: path + [property.key], isReachable: true, into: &found)
                    }
                } else if Self.namedSchemas.contains(member.key), let schemas = member.value.members {
                    for schema in schemas { try collect(from: schema.value, path: path, isReachable: false, into: &found) }
                } else if !["enum", "const", "default", "examples"].contains(member.key) {
                    try collect(from: member.value, path: path, isReachable: false, into: &found)
                }
            }
        default: break
        }
    }

    /// Keywords whose members are names of any kind with a schema each, not keywords themselves.
    private static let namedSchemas: Set<String> = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"]

    private static func name(_ annotation: JSONValue, of schema: JSONValue) throws(Unusable) -> String {
        guard let name = annotation.string, !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            throw Unusable(reason: "x-mcp-header is no header name")
        }
        guard ["string", "integer", "boolean"].contains(schema["type"]?.string ?? "") else {
            throw Unusable(reason: "x-mcp-header “\(name)” on a value that is no string, integer or boolean")
        }
        return name
    }

    /// RFC 9110 §5.6.2 `tchar`.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
