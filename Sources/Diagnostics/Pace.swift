/// Lets so many events a second through, and counts those that it does not: whoever makes them must not fill a disk.
package struct Pace: Sendable {
    private let perSecond: Int
    private var second = 0
    private var count = 0
    private var more = 0

    package init(perSecond: Int) { self.perSecond = perSecond }

    /// How many before this one were left out, and not told of yet; nil where this one is left out too. `second` is any clock's.
    package mutating func admit(at second: Int) -> Int? {
        if second != self.second { (self.second, count) = (second, 0) }
        count += 1
        guard count <= perSecond else {
            more += 1
            return nil
        }
        defer { more = 0 }
        return more
    }
}
