import JSON

/// A prompt, a resource or a resource template as an upstream lists it.
package struct ItemDefinition: ListElement {
    /// Of a prompt its name, of a resource its URI, of a template its text.
    package let name: String
    /// The whole definition as the upstream spelt it, an object.
    package let bytes: [UInt8]
    /// What clients may give a prompt, as a JSON schema; nil for the other kinds.
    package let schema: JSONValue?

    /// Longest URI and template, in bytes.
    package static let nameBytesMax = 4_096

    /// Throws when the definition can't be used: it is no object, or what it is found by is missing, empty or too long.
    package init(parsing bytes: [UInt8], of kind: ListKind) throws(Unusable) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw Unusable(reason: "a \(kind.noun) that has \(error)")
        }
        guard let name = json[kind.key]?.string, !name.isEmpty else { throw Unusable(reason: "a \(kind.noun) without a \(kind.key)") }
        guard name.utf8.count <= Self.nameBytesMax else {
            throw Unusable(reason: "a \(kind.noun) whose \(kind.key) is longer than \(Self.nameBytesMax) bytes")
        }
        self.name = name
        self.bytes = bytes
        schema = kind == .prompts ? Self.schema(of: json["arguments"]?.array ?? []) : nil
    }

    private static func schema(of arguments: [JSONValue]) -> JSONValue {
        var seen: Set<String> = []
        let names = arguments.compactMap { $0["name"]?.string }.filter { seen.insert($0).inserted }
        let required = arguments.filter { $0["required"] == true }.compactMap { $0["name"] }
        return [
            "type": "object", "properties": .object(names.map { .init($0, ["type": "string"]) }), "required": .array(required),
        ]
    }
}
