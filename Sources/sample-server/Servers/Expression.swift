/// Arithmetic as people write it: numbers, `+ - * / ^`, a sign, brackets.
struct Expression {
    private static let depthMax = 50

    private let characters: [Character]
    private var at = 0
    private var depth = 0

    init(_ text: String) { characters = text.filter { !$0.isWhitespace } }

    /// Its value; throws a text that says what is wrong and where.
    mutating func evaluate() throws(ToolFailure) -> Double {
        let value = try sum()
        guard at == characters.count else { throw unexpected("an operator") }
        return value
    }

    private mutating func sum() throws(ToolFailure) -> Double {
        var value = try product()
        while let sign = take(["+", "-"]) {
            let next = try product()
            value = sign == "+" ? value + next : value - next
        }
        return value
    }

    private mutating func product() throws(ToolFailure) -> Double {
        var value = try power()
        while let sign = take(["*", "/"]) {
            let next = try power()
            if sign == "/", next == 0 { throw ToolFailure("Division by zero.") }
            value = sign == "*" ? value * next : value / next
        }
        return value
    }

    private mutating func power() throws(ToolFailure) -> Double {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw ToolFailure("The expression is too deeply nested.") }
        if take(["-"]) != nil { return -(try power()) }
        let base = try atom()
        guard take(["^"]) != nil else { return base }
        let exponent = try power()
        guard exponent == exponent.rounded(), abs(exponent) <= 1000 else {
            throw ToolFailure("An exponent must be a whole number from -1000 to 1000.")
        }
        let value = (0..<Int(abs(exponent))).reduce(1.0) { product, _ in product * base }
        return exponent < 0 ? 1 / value : value
    }

    private mutating func atom() throws(ToolFailure) -> Double {
        if take(["("]) != nil {
            let value = try sum()
            guard take([")"]) != nil else { throw unexpected("“)”") }
            return value
        }
        let digits = characters[at...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(String(digits)) else { throw unexpected("a number") }
        at += digits.count
        return value
    }

    private mutating func take(_ wanted: [Character]) -> Character? {
        guard at < characters.count, wanted.contains(characters[at]) else { return nil }
        at += 1
        return characters[at - 1]
    }

    private func unexpected(_ wanted: String) -> ToolFailure {
        let found = at < characters.count ? "“\(characters[at])” (place \(at + 1), blanks not counted)" : "the end"
        return ToolFailure("Expected \(wanted), found \(found).")
    }
}
