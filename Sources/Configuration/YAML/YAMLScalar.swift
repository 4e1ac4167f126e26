/// A scalar and what the core schema makes of it (YAML 1.2.2 §10.3.2): `yes`, `no` and `on` are text.
struct YAMLScalar: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case null
        case bool(Bool)
        /// Spelt as JSON spells it.
        case integer(String)
        /// Spelt as JSON spells it.
        case float(String)
        /// An infinity, `.nan`, or an integer in base 8 or 16 that exceeds 64 bits: JSON has no word for it.
        case notFinite
        case string
    }

    /// As it stands in the file, unquoted.
    let text: String
    /// Written without quotes and not as a block.
    let isPlain: Bool
    let kind: Kind

    init(text: String, isPlain: Bool) {
        self.text = text
        self.isPlain = isPlain
        kind = isPlain ? Self.resolve(text) : .string
    }

    private static func resolve(_ text: String) -> Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": .null
        case "true", "True", "TRUE": .bool(true)
        case "false", "False", "FALSE": .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN": .notFinite
        default: number(Array(text.utf8))
        }
    }

    private static func number(_ text: [UInt8]) -> Kind {
        if text.starts(with: Array("0x".utf8)) { return based(text.dropFirst(2), 16) }
        if text.starts(with: Array("0o".utf8)) { return based(text.dropFirst(2), 8) }
        var rest = text[...]
        var sign = ""
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            if first == UInt8(ascii: "-") { sign = "-" }
            rest = rest.dropFirst()
        }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if rest.isEmpty { return whole.isEmpty ? .string : .integer(sign + withoutLeadingZeros(whole)) }
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + fraction.count)
        }
        if whole.isEmpty && fraction.isEmpty { return .string }
        let mantissa = sign + withoutLeadingZeros(whole) + "." + (fraction.isEmpty ? "0" : String(decoding: fraction, as: UTF8.self))
        guard let mark = rest.first else { return .float(mantissa) }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return .string }
        var digits = rest.dropFirst()
        if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return .string }
        return .float(mantissa + String(decoding: rest, as: UTF8.self))
    }

    private static func based(_ digits: ArraySlice<UInt8>, _ base: Int) -> Kind {
        let text = String(decoding: digits, as: UTF8.self)
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-") else { return .string }
        if let value = UInt64(text, radix: base) { return .integer(String(value)) }
        return text.utf8.allSatisfy { UInt64(String(UnicodeScalar($0)), radix: base) != nil } ? .notFinite : .string
    }

    private static func withoutLeadingZeros(_ digits: ArraySlice<UInt8>) -> String {
        let kept = digits.drop { $0 == UInt8(ascii: "0") }
        return kept.isEmpty ? "0" : String(decoding: kept, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
