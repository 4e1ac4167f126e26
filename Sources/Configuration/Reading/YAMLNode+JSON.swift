import JSON

extension YAMLNode {
    /// The same value in JSON, numbers in JSON's spelling; throws where JSON has no word for it.
    func json() throws(ConfigurationError) -> JSONValue {
        switch content {
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: return .null
            case .bool(let value): return .bool(value)
            case .integer(let number), .float(let number): return .number(number)
            case .string: return .string(scalar.text)
            case .notFinite:
                throw ConfigurationError("JSON has no number \(scalar.text)", at: position, fix: "write a finite number, or text in quotes")
            }
        case .sequence(let nodes):
            var elements: [JSONValue] = []
            for node in nodes { elements.append(try node.json()) }
            return .array(elements)
        case .mapping(let entries):
            var members: [JSONValue.Member] = []
            for entry in entries { members.append(JSONValue.Member(entry.key, try entry.value.json())) }
            return .object(members)
        }
    }
}
