/// A group's name, told from others byte by byte: to `==` of strings `Kiosk` with U+212A is `Kiosk`, and a set would keep either.
package struct GroupName: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let description: String

    package init(_ name: String) { description = name }
    package init(stringLiteral name: String) { self.init(name) }

    package static func == (a: GroupName, b: GroupName) -> Bool { isSame(a.description, b.description) }
    package static func < (a: GroupName, b: GroupName) -> Bool { a.description.utf8.lexicographicallyPrecedes(b.description.utf8) }
    package func hash(into hasher: inout Hasher) { for byte in description.utf8 { hasher.combine(byte) } }
}
