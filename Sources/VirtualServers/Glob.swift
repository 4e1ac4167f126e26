/// A pattern over names: `*` stands for any run of characters, `?` for one; all else for itself.
package struct Glob: Hashable, Sendable {
    package let pattern: String
    private let scalars: [Unicode.Scalar]

    package init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    /// Linear in the product of both lengths at worst: no pattern can make it run away.
    package func matches(_ name: String) -> Bool {
        var steps = 0
        return matches(name, steps: &steps)
    }

    /// The same, counting what it does.
    func matches(_ name: String, steps: inout Int) -> Bool {
        let name = Array(name.unicodeScalars)
        var at = 0
        var inPattern = 0
        var afterStar: (pattern: Int, name: Int)?
        while at < name.count {
            steps += 1
            if inPattern < scalars.count, scalars[inPattern] == "*" {
                afterStar = (inPattern + 1, at)
                inPattern += 1
            } else if inPattern < scalars.count, scalars[inPattern] == "?" || scalars[inPattern] == name[at] {
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
        return scalars[inPattern...].allSatisfy { $0 == "*" }
    }
}
