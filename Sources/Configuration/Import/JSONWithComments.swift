/// JSON as editors keep it: comments and commas before a closing bracket become blanks, so that every byte keeps its place.
func withoutComments(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    var index = 0
    var comma: Int?
    func byte(_ at: Int) -> UInt8? { at < bytes.count ? bytes[at] : nil }
    while let current = byte(index) {
        switch (current, byte(index + 1)) {
        case (UInt8(ascii: "\""), _):
            comma = nil
            index += 1
            while let next = byte(index), next != UInt8(ascii: "\"") { index += next == UInt8(ascii: "\\") ? 2 : 1 }
            index += 1
        case (UInt8(ascii: "/"), UInt8(ascii: "/")):
            while let next = byte(index), next != UInt8(ascii: "\n") {
                result[index] = UInt8(ascii: " ")
                index += 1
            }
        case (UInt8(ascii: "/"), UInt8(ascii: "*")):
            let start = index
            index += 2
            while let next = byte(index), next != UInt8(ascii: "*") || byte(index + 1) != UInt8(ascii: "/") { index += 1 }
            index = min(index + 2, bytes.count)
            for place in start..<index where bytes[place] != UInt8(ascii: "\n") { result[place] = UInt8(ascii: " ") }
        default:
            if let place = comma, current == UInt8(ascii: "}") || current == UInt8(ascii: "]") { result[place] = UInt8(ascii: " ") }
            if current == UInt8(ascii: ",") {
                comma = index
            } else if ![UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t")].contains(current) {
                comma = nil
            }
            index += 1
        }
    }
    // A byte order mark is no part of JSON.
    if result.starts(with: [0xEF, 0xBB, 0xBF]) { result.replaceSubrange(0..<3, with: Array("   ".utf8)) }
    return result
}
