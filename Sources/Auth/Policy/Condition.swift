import JSON

/// A condition on one argument: `a=x|y`, `a!=x`, nested as `a.b=x`.
package struct Condition: Hashable, Sendable {
    package let path: [String]
    /// `!=`: none of the values.
    package let isNegated: Bool
    package let values: [ConditionValue]

    /// Whether the argument is one of the values.
    func likeness(of argument: ArgumentValue) -> Likeness {
        var isUnclear = false
        for value in values {
            switch value.likeness(of: argument) {
            case .same: return .same
            case .unclear: isUnclear = true
            case .different: break
            }
        }
        return isUnclear ? .unclear : .different
    }

    /// Whether an `allow` may count it as met: only on certainty.
    func isSurelyMet(by argument: ArgumentValue) -> Bool { likeness(of: argument) == (isNegated ? .different : .same) }

    /// Whether a `deny` must count it as met: unless it is certain that it is not.
    func isPerhapsMet(by argument: ArgumentValue) -> Bool { likeness(of: argument) != (isNegated ? .same : .different) }

    /// As it is written: `a.b=x`.
    package var argument: String { path.joined(separator: ".") }
}

/// What is known of an argument and a value: an `allow` needs certainty, and only certainty averts a `deny`.
enum Likeness: Hashable, Sendable {
    case same, different
    /// An upstream might take the one for the other.
    case unclear
}

/// A value of a condition: a glob, or in quotes a text as it stands.
package struct ConditionValue: Hashable, Sendable {
    package let text: String
    package let glob: Glob
    private let meaning: Meaning
    /// Written in double quotes.
    let isQuoted: Bool

    private enum Meaning: Hashable, Sendable {
        case text
        case null
        case bool(Bool)
        /// Its spelling in JSON.
        case number(String)
    }

    /// A word without quotes: also the number, truth value or null that it spells.
    init(word text: String, glob: Glob) {
        self.text = text
        self.glob = glob
        isQuoted = false
        meaning =
            switch (glob.isLiteral, try? JSONValue(parsing: Array(text.utf8))) {
            case (true, .null?): .null
            case (true, .bool(let value)?): .bool(value)
            case (true, .number(let number)?): .number(number)
            default: .text
            }
    }

    init(quoted text: String) {
        self.text = text
        glob = Glob(literally: text)
        isQuoted = true
        meaning = .text
    }

    func likeness(of argument: ArgumentValue) -> Likeness {
        switch argument {
        case .missing, .unclear: .unclear
        case .null: meaning == .null ? .same : .unclear
        case .string(let text): likeness(ofText: text)
        case .number(let number): likeness(ofNumber: number)
        case .bool(let value): likeness(ofBool: value)
        }
    }

    /// The longest text that patterns are compared with, in bytes.
    private static let textMax = 64 * 1_024

    private func likeness(ofText text: String) -> Likeness {
        // Long texts would take long to look through, letter by letter, on the way of every call.
        if text.utf8.count > Self.textMax, !glob.isLiteral, !glob.isEverything { return .unclear }
        if glob.matches(text) { return .same }
        switch meaning {
        case .bool, .null: return .unclear
        case .number(let number): if Double(number).map(text.mayBeRead) == true { return .unclear }
        case .text: break
        }
        return glob.mayBeTaken(for: text) ? .unclear : .different
    }

    private func likeness(ofNumber number: String) -> Likeness {
        switch meaning {
        case .null, .bool: return .unclear
        case .number(let own):
            if JSONValue.number(number).means(.number(own)) { return .same }
            // A reader of doubles may take two numbers for one.
            return Double(number) == Double(own) ? .unclear : .different
        case .text: break
        }
        if glob.isEverything { return .same }
        if let literal = glob.literal {
            return literal == number || Double(literal.trimmed).map { $0 == Double(number) } ?? false ? .unclear : .different
        }
        // A number has many spellings; only an integer's is plain.
        guard number.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D }), number != "-0" else { return .unclear }
        return glob.matches(number) ? .same : .different
    }

    private func likeness(ofBool value: Bool) -> Likeness {
        if case .bool(let own) = meaning { return own == value ? .same : .different }
        if glob.isEverything { return .same }
        guard let literal = glob.literal?.lowercased() else { return glob.matches(value ? "true" : "false") ? .same : .different }
        return ["true", "false", "1", "0", "yes", "no", "y", "n", "t", "f", "on", "off"].contains(literal) ? .unclear : .different
    }
}

extension String {
    /// Whether a careless reader could take it for that number: other digits, blanks, `1_000`, `0x1F`, or more behind it.
    fileprivate func mayBeRead(as number: Double) -> Bool {
        guard utf8.count <= 1_024 else { return true }
        var digits = ""
        for scalar in unicodeScalars {
            if let value = scalar.properties.numericValue, !scalar.isASCII {
                digits += value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : String(value)
            } else if !scalar.properties.isWhitespace, !["_", ",", "'", "\u{2019}"].contains(scalar) {
                digits.unicodeScalars.append(scalar == "\u{2212}" || scalar == "\u{FF0D}" ? "-" : scalar)
            }
        }
        let sign = digits.first == "-" ? -1.0 : 1
        let plain = digits.drop { $0 == "-" || $0 == "+" }.lowercased()
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            if Int(plain.dropFirst(2), radix: radix).map({ sign * Double($0) == number }) == true { return true }
        }
        if Int(plain, radix: 8).map({ plain.hasPrefix("0") && sign * Double($0) == number }) == true { return true }
        // Readers that stop where the number ends take the digits at the start, or those with a point and an exponent.
        let whole = plain.prefix { $0.isASCII && $0.isNumber }
        var fraction = plain.prefix { $0.isASCII && ($0.isNumber || ".e+-".contains($0)) }.prefix(400)
        while !fraction.isEmpty, Double(fraction) == nil { fraction.removeLast() }
        return Double(whole).map { sign * $0 } == number || Double(fraction).map { sign * $0 } == number
    }

    /// Without white space at either end.
    fileprivate var trimmed: String {
        var rest = unicodeScalars[...]
        while let first = rest.first, first.properties.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return String(String.UnicodeScalarView(rest))
    }
}
