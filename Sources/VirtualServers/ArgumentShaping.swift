import Auth
import JSON
import MCPProtocol

/// The rules for one tool's arguments, ready to be applied to its schema and to each call.
package struct ArgumentShaping: Sendable {
    private let rules: [ArgumentRule]
    private let byName: [String: Int]
    /// The arguments that clients neither see nor set.
    package let concealed: Set<String>

    package init(_ rules: [ArgumentRule]) {
        self.rules = rules
        concealed = Set(rules.filter { $0.fixed != nil || $0.hidden }.map(\.name))
        byName = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($1.name, $0) })
    }

    /// Where an argument's value comes from.
    func source(of name: String) -> ArgumentSource {
        guard let rule = byName[name].map({ rules[$0] }) else { return .open(nil) }
        if let fixed = rule.fixed { return .fixed(fixed) }
        return rule.hidden ? .hidden(rule.default) : .open(rule.default)
    }

    /// The arguments that have a rule but no property in the schema.
    package func unknownArguments(in schema: JSONValue) -> [ArgumentRule] {
        rules.filter { schema["properties"]?[$0.name] == nil }
    }

    /// The schema that clients see: fixed and hidden arguments are gone, `allow` is an `enum`, a default makes optional.
    package func schema(from schema: JSONValue) -> JSONValue {
        var schema = schema
        var optional: Set<String> = []
        for rule in rules {
            if rule.fixed != nil || rule.hidden {
                schema["properties"]?[rule.name] = nil
                optional.insert(rule.name)
                continue
            }
            if let allow = rule.allow, var property = schema["properties"]?[rule.name] {
                property["enum"] = .array(allow)
                schema["properties"]?[rule.name] = property
            }
            if let standard = rule.default, var property = schema["properties"]?[rule.name] {
                property["default"] = standard
                schema["properties"]?[rule.name] = property
                optional.insert(rule.name)
            }
        }
        if let required = schema["required"]?.array, !optional.isEmpty {
            let left = required.filter { name in name.string.map { !optional.contains($0) } ?? true }
            schema["required"] = left.isEmpty ? nil : .array(left)
        }
        return schema
    }

    /// The arguments to send upstream, rendered; what no rule concerns is copied as it stands.
    ///
    /// Throws −32602 when a value is given that may not be, or is not among the allowed ones; also for duplicate keys, by
    /// which a value could be smuggled past a rule, and for arguments that are no object.
    package func apply(to arguments: JSONExtent?, of message: Message) throws(ProtocolError) -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "{")]
        var given = [Bool](repeating: false, count: rules.count)
        if let arguments, arguments.kind != .null {
            guard arguments.kind == .object else { throw ProtocolError(.invalidParams, "Invalid params: `arguments` must be an object") }
            out.reserveCapacity(arguments.range.count + 100)
            do {
                try copy(arguments.range, of: message, to: &out, given: &given)
            } catch let error as ProtocolError {
                throw error
            } catch {
                throw ProtocolError(.invalidParams, "Invalid params: `arguments` has \(error)")
            }
        }
        for (index, rule) in rules.enumerated() where !given[index] {
            guard let value = rule.fixed ?? rule.default else { continue }
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            out.append(jsonString: rule.name)
            out.append(UInt8(ascii: ":"))
            out.append(json: value)
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    private func copy(_ range: Range<Int>, of message: Message, to out: inout [UInt8], given: inout [Bool]) throws {
        let text = message.bytes
        let bytes = text.span
        var scanner = JSONScanner(at: range.lowerBound, depthMax: .max)
        var seen: Set<String> = []
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            let name = key.string(in: bytes)
            guard seen.insert(name).inserted else { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
            let value = try scanner.skipValue(in: bytes)
            if let index = byName[name] {
                try permit(value, for: rules[index], in: message)
                given[index] = true
            }
            if out.count > 1 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: message.bytes[key.range.lowerBound - 1..<value.range.upperBound])
        }
    }

    private func permit(_ extent: JSONExtent, for rule: ArgumentRule, in message: Message) throws(ProtocolError) {
        if rule.fixed != nil || rule.hidden {
            throw ProtocolError(.invalidParams, "Invalid params: `\(rule.name)` is not an argument of this tool")
        }
        guard let allow = rule.allow else { return }
        let value = message.value(extent)
        guard allow.contains(where: { $0.means(value) }) else {
            let choices = allow.map(\.text).joined(separator: ", ")
            throw ProtocolError(.invalidParams, "Invalid params: `\(rule.name)` must be one of \(choices)")
        }
    }
}
