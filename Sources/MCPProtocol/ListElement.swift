import JSON

/// An element of a list, as an upstream spelt it.
package protocol ListElement: Hashable, Sendable {
    /// What tells it from the others of its list.
    var name: String { get }
}

/// Why an element of a list can't be used; a text for the log.
package struct Unusable: Error {
    package let reason: String
}

extension [UInt8] {
    /// An object that was validated, with some members replaced, or appended where there is none of that name; all else as it is spelt.
    package func replacing(members replacements: [(key: String, value: JSONValue)]) -> [UInt8] {
        var left = replacements
        var out: [UInt8] = []
        out.reserveCapacity(count + 100)
        let span = self.span
        var scanner = JSONScanner()
        var copied = 0
        // The bytes were validated before: nothing here can fail.
        try? scanner.beginObject(in: span)
        while let key = (try? scanner.nextKey(in: span)) ?? nil, let value = try? scanner.skipValue(in: span) {
            let name = key.string(in: span)
            guard let index = left.firstIndex(where: { $0.key == name }) else { continue }
            out.append(contentsOf: self[copied..<value.range.lowerBound])
            out.append(json: left.remove(at: index).value)
            copied = value.range.upperBound
        }
        let end = lastIndex(of: UInt8(ascii: "}")) ?? endIndex
        out.append(contentsOf: self[copied..<end])
        for (key, value) in left {
            if out.last(where: { $0 > 0x20 }) != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
            out.append(jsonString: key)
            out.append(UInt8(ascii: ":"))
            out.append(json: value)
        }
        out.append(contentsOf: self[end...])
        return out
    }
}
