/// A pattern over names: `*` stands for any run of characters, `?` for one; all else for itself.
package struct Glob: Hashable, Sendable {
    package let pattern: String
    private let bytes: [UInt8]

    package init(_ pattern: String) {
        self.pattern = pattern
        bytes = Array(pattern.utf8)
    }

    /// Linear in the product of both lengths at worst: no pattern can make it run away.
    package func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var at = 0
        var inPattern = 0
        var afterStar: (pattern: Int, name: Int)?
        while at < name.count {
            if inPattern < bytes.count, bytes[inPattern] == UInt8(ascii: "*") {
                afterStar = (inPattern + 1, at)
                inPattern += 1
            } else if inPattern < bytes.count, bytes[inPattern] == UInt8(ascii: "?") || bytes[inPattern] == name[at] {
                at += 1
                inPattern += 1
            } else if let star = afterStar {
                afterStar = (star.pattern, star.name + 1)
                inPattern = star.pattern
                at = star.name + 1
            } else {
                return false
            }
        }
        return bytes[inPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
