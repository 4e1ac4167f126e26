/// Builds the body of a token request (RFC 6749 appendix B).
struct FormBody {
    static let contentType = "application/x-www-form-urlencoded"
    private(set) var bytes: [UInt8] = []

    mutating func add(_ name: String, _ value: String) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
        bytes.append(contentsOf: Self.encode(name).utf8)
        bytes.append(UInt8(ascii: "="))
        bytes.append(contentsOf: Self.encode(value).utf8)
    }

    /// All but letters, digits and `-._*` escaped, a blank as `+`.
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
                result.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: " "): result += "+"
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += (digits.utf8.count == 1 ? "%0" : "%") + digits
            }
        }
        return result
    }
}
