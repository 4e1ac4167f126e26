extension JSONValue {
    /// Equality of what is meant: numbers by their exact value, strings by their code points, members in any order.
    ///
    /// Not by `==`, for which `K` and the Kelvin sign are one: an upstream may see two values.
    package func means(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let a), .number(let b)):
            if a == b { return true }
            guard let a = JSONNumber(a), let b = JSONNumber(b) else { return false }
            return a == b
        case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): return a.count == b.count && zip(a, b).allSatisfy { $0.means($1) }
        case (.object(let a), .object(let b)):
            return a.count == b.count
                && a.allSatisfy { member in b.contains { $0.key.utf8.elementsEqual(member.key.utf8) && member.value.means($0.value) } }
        default: return self == other
        }
    }
}
