/// A JSON number's value, exactly: digits without zeros at either end, and the power of ten of the last one.
struct JSONNumber: Hashable {
    private let isNegative: Bool
    private let digits: [UInt8]
    private let exponent: Int

    /// From a number's text as it stood; nil where its exponent is beyond all sense.
    init?(_ text: String) {
        var rest = Substring(text).utf8[...]
        let sign = rest.first == UInt8(ascii: "-")
        if sign { rest = rest.dropFirst() }
        let mantissa = rest.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let power = rest[mantissa.endIndex...].dropFirst()
        guard let power = power.isEmpty ? 0 : Int(String(Substring(power)).replacingPlus), abs(power) < 1 << 40 else { return nil }
        let fraction = mantissa.drop { $0 != UInt8(ascii: ".") }.dropFirst()
        var digits = Array(mantissa.filter { $0 != UInt8(ascii: ".") }.drop { $0 == UInt8(ascii: "0") })
        var exponent = power - fraction.count
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
        isNegative = sign && !digits.isEmpty
    }
}

extension String {
    fileprivate var replacingPlus: String { hasPrefix("+") ? String(dropFirst()) : self }
}
