import JSON

/// What a virtual server does with an argument before rules judge it.
package enum ArgumentSource: Sendable {
    /// Always this value.
    case fixed(JSONValue)
    /// Never from the caller; this value where there is one.
    case hidden(JSONValue?)
    /// From the caller, else this value where there is one.
    case open(JSONValue?)
}

/// A tool's arguments as clients see them, for what can be listed of the allowed values.
package struct ArgumentSpace: Sendable {
    /// The schema that is listed without rules.
    package let schema: JSONValue
    private let source: @Sendable (String) -> ArgumentSource

    package init(schema: JSONValue, source: @escaping @Sendable (String) -> ArgumentSource = { _ in .open(nil) }) {
        self.schema = schema
        self.source = source
    }

    func source(of path: [String]) -> ArgumentSource { path.first.map(source) ?? .open(nil) }
}

/// What the list may say of one argument.
package struct Narrowing: Hashable, Sendable {
    package let path: [String]
    /// The only values that may be sent; empty where none may; nil where they can't be told one by one.
    package let values: [JSONValue]?
    /// Whether a call without it is refused.
    package let isRequired: Bool
}

/// A value that is tried on the rules for all that are like it.
struct Sample: Sendable {
    enum Kind { case missing, literal, pattern, other }

    let kind: Kind
    let value: ArgumentValue
    let json: JSONValue?
}

extension Access {
    /// How the listed schema says which arguments are allowed: nil where the subject is not to be listed, empty where all are.
    package func narrowings(of subject: Int, in space: ArgumentSpace) -> [Narrowing]? {
        switch standings[subject] {
        case .denied: return nil
        case .allowed: return []
        case .conditional(let rules): return rules.narrowings(in: space)
        }
    }
}

extension ConditionalRules {
    /// Decisions that are tried for one tool.
    private static let triesMax = 2_048

    /// nil where no arguments are allowed; found by the decision itself, on samples of all values that the rules tell apart.
    func narrowings(in space: ArgumentSpace) -> [Narrowing]? {
        let samples = paths.paths.indices.map { SampleMaker(rules: self, slot: $0, space: space).samples() }
        let count = samples.reduce(1) { $0 > Self.triesMax ? $0 : $0 * $1.count }
        guard count <= Self.triesMax else { return [] }
        var isAllowed = samples.map { [Bool](repeating: false, count: $0.count) }
        var isAnyAllowed = false
        for number in 0..<count {
            var rest = number
            let choice = samples.map { samples in
                defer { rest /= samples.count }
                return rest % samples.count
            }
            guard decide(zip(samples, choice).map { $0[$1].value }).isAllowed else { continue }
            isAnyAllowed = true
            for (slot, index) in choice.enumerated() { isAllowed[slot][index] = true }
        }
        guard isAnyAllowed else { return nil }
        return zip(paths.paths, zip(samples, isAllowed)).compactMap { path, found in narrowing(path, found.0, found.1, in: space) }
    }

    private func narrowing(_ path: [String], _ samples: [Sample], _ isAllowed: [Bool], in space: ArgumentSpace) -> Narrowing? {
        guard case .open = space.source(of: path) else { return nil }
        let given = zip(samples, isAllowed).filter { $0.0.kind != .missing }
        let allowed = given.filter(\.1).map(\.0)
        let isRequired = !zip(samples, isAllowed).contains { $0.0.kind == .missing && $0.1 }
        var values: [JSONValue]?
        if allowed.count < given.count, allowed.allSatisfy({ $0.kind == .literal }) { values = allowed.compactMap(\.json) }
        return values == nil && !isRequired ? nil : Narrowing(path: path, values: values, isRequired: isRequired)
    }
}

/// Finds the values of one argument that the rules tell apart.
private struct SampleMaker {
    let rules: ConditionalRules
    let slot: Int
    let space: ArgumentSpace

    private var path: [String] { rules.paths.paths[slot] }

    func samples() -> [Sample] {
        let inner = path.dropFirst()
        let under = { (value: JSONValue?) in ArgumentValue(inner.reduce(value) { $0?[$1] }) }
        switch space.source(of: path) {
        case .fixed(let value): return [Sample(kind: .missing, value: under(value), json: nil)]
        case .hidden(let value): return [Sample(kind: .missing, value: under(value), json: nil)]
        case .open(let value): return [Sample(kind: .missing, value: under(value), json: nil)] + given()
        }
    }

    private func given() -> [Sample] {
        let schema = space.schema.property(at: path)
        var choices = schema?["enum"]?.array
        if let only = schema?["const"] { choices = [only] }
        if choices == nil, schema?["type"] == "boolean" { choices = [true, false] }
        // A long list is the schema's business.
        if let choices, choices.count <= 256 { return choices.map { Sample(kind: .literal, value: ArgumentValue($0), json: $0) } }
        let type = schema?["type"]?.string
        if type == "array" || type == "object" { return [Sample(kind: .other, value: .unclear, json: nil)] }
        let values = rules.conditions.filter { $0.slot == slot }.flatMap(\.condition.values)
        var samples: [Sample] = []
        for value in values {
            let isLiteral = value.glob.isLiteral
            let text = value.glob.literal ?? value.glob.example
            guard let json = Self.json(text, isQuoted: isLiteral && value.isQuoted, type: type) else { continue }
            guard !samples.contains(where: { $0.json?.means(json) ?? false }) else { continue }
            samples.append(Sample(kind: isLiteral ? .literal : .pattern, value: ArgumentValue(json), json: json))
        }
        let strange = ["something-else-entirely", "~", "9", "zzz.0"].first { text in
            values.allSatisfy { $0.likeness(of: .string(text)) == .different }
        }
        let other: JSONValue = type == "integer" || type == "number" ? strangeNumber(values) : .string(strange ?? "something-else-entirely")
        samples.append(Sample(kind: .other, value: ArgumentValue(other), json: other))
        // `?*` leaves the empty text only.
        let hasOne = values.contains { $0.glob.tokens.contains(Glob.one) }
        if hasOne, other.string != nil { samples.append(Sample(kind: .other, value: .string(""), json: "")) }
        return samples
    }

    private func strangeNumber(_ values: [ConditionValue]) -> JSONValue {
        let numbers = ["718281828", "-31415926", "0", "55"]
        return .number(numbers.first { number in values.allSatisfy { $0.likeness(of: .number(number)) == .different } } ?? "718281828")
    }

    /// The text as a value of that type; nil where it is none.
    private static func json(_ text: String, isQuoted: Bool, type: String?) -> JSONValue? {
        let spelled = isQuoted ? nil : try? JSONValue(parsing: Array(text.utf8))
        switch type {
        case "string": return .string(text)
        case "integer", "number":
            guard case .number? = spelled else { return nil }
            return spelled
        case nil:
            switch spelled {
            case .number?, .bool?, .null?: return spelled
            default: return .string(text)
            }
        default: return .string(text)
        }
    }
}

extension Glob {
    /// Some text that it matches.
    fileprivate var example: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: tokens.map { Unicode.Scalar($0) ?? "x" })
        return String(text)
    }
}
