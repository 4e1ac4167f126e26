extension JSONValue {
    /// Parses a whole JSON text; duplicate keys are refused.
    package init(parsing bytes: [UInt8], depthMax: Int = 128) throws(JSONError) {
        let span = bytes.span
        var scanner = JSONScanner(depthMax: depthMax)
        self = try JSONValue(next: &scanner, in: span)
        try scanner.end(in: span)
    }

    /// Parses the value that comes next.
    package init(next scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        switch try scanner.nextKind(in: bytes) {
        case .object:
            var members: [Member] = []
            var seen: Set<String> = []
            try scanner.beginObject(in: bytes)
            while let key = try scanner.nextKey(in: bytes) {
                let name = key.string(in: bytes)
                let value = try JSONValue(next: &scanner, in: bytes)
                let isKnown = members.count < 8 ? members.contains { $0.key == name } : !remember(name, after: members, in: &seen)
                if isKnown { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
                members.append(Member(name, value))
            }
            self = .object(members)
        case .array:
            var elements: [JSONValue] = []
            try scanner.beginArray(in: bytes)
            while try scanner.nextElement(in: bytes) { elements.append(try JSONValue(next: &scanner, in: bytes)) }
            self = .array(elements)
        case .string:
            self = .string(try scanner.string(in: bytes).string(in: bytes))
        case .number:
            let extent = try scanner.skipValue(in: bytes)
            self = .number(JSONText(range: extent.range, hasEscapes: false).string(in: bytes))
        case .bool:
            let extent = try scanner.skipValue(in: bytes)
            self = .bool(extent.range.count == 4)
        case .null:
            try scanner.skipValue(in: bytes)
            self = .null
        }
    }

    /// Parses the part of a text that was already validated, its depth included.
    package init(parsing range: Range<Int>, of bytes: [UInt8]) throws(JSONError) {
        var scanner = JSONScanner(at: range.lowerBound, depthMax: .max)
        self = try JSONValue(next: &scanner, in: bytes.span)
    }
}

/// Small objects are compared one by one, larger ones through a set.
private func remember(_ name: String, after members: [JSONValue.Member], in seen: inout Set<String>) -> Bool {
    if seen.isEmpty { seen = Set(members.map(\.key)) }
    return seen.insert(name).inserted
}
