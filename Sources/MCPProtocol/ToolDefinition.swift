import JSON

/// A tool as an upstream lists it.
package struct ToolDefinition: Hashable, Sendable {
    package let name: String
    /// The whole definition as the upstream spelt it, an object.
    package let bytes: [UInt8]
    /// The same as a tree.
    package let json: JSONValue
    /// The parameters that are mirrored in headers.
    package let headerParameters: [HeaderParameter]

    /// Throws a text for the log when the definition can't be used: no name, no object schema, or malformed `x-mcp-header`
    /// annotations (MCP 2026-07-28 server/tools, "x-mcp-header").
    package init(parsing bytes: [UInt8]) throws(Unusable) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw Unusable(reason: "a tool that has \(error)")
        }
        guard let name = json["name"]?.string, !name.isEmpty else { throw Unusable(reason: "a tool without a name") }
        guard json["inputSchema"]?.members != nil else { throw Unusable(reason: "tool “\(name)” has no inputSchema object") }
        self.name = name
        self.bytes = bytes
        self.json = json
        do {
            headerParameters = try HeaderParameter.all(in: json["inputSchema"] ?? .null)
        } catch {
            throw Unusable(reason: "tool “\(name)”: \(error.reason)")
        }
    }

    /// The definition with some members replaced, or appended where there is none of that name; all else as it is spelt.
    package func replacing(_ replacements: [(key: String, value: JSONValue)]) -> [UInt8] {
        var left = replacements
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 100)
        let span = bytes.span
        var scanner = JSONScanner()
        var copied = 0
        // The bytes were validated when the definition was made: nothing here can fail.
        try? scanner.beginObject(in: span)
        while let key = (try? scanner.nextKey(in: span)) ?? nil, let value = try? scanner.skipValue(in: span) {
            let name = key.string(in: span)
            guard let index = left.firstIndex(where: { $0.key == name }) else { continue }
            out.append(contentsOf: bytes[copied..<value.range.lowerBound])
            out.append(json: left.remove(at: index).value)
            copied = value.range.upperBound
        }
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? bytes.endIndex
        out.append(contentsOf: bytes[copied..<end])
        for (key, value) in left {
            out.append(UInt8(ascii: ","))
            out.append(jsonString: key)
            out.append(UInt8(ascii: ":"))
            out.append(json: value)
        }
        out.append(contentsOf: bytes[end...])
        return out
    }

    package struct Unusable: Error {
        package let reason: String
    }
}
