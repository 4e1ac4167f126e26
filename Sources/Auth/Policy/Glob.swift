/// A pattern over names: `*` stands for any run of characters, `?` for one; all else for itself, code point by code point.
package struct Glob: Hashable, Sendable {
    /// A code point, or one of the two wildcards.
    typealias Token = UInt32
    static let run: Token = 0x11_0000
    static let one: Token = 0x11_0001

    let tokens: [Token]
    /// Whether it has no wildcards.
    package let isLiteral: Bool

    package init(_ pattern: String) {
        self.init(
            tokens: pattern.unicodeScalars.map { scalar in
                switch scalar {
                case "*": Self.run
                case "?": Self.one
                default: scalar.value
                }
            })
    }

    /// Matches this text only, whatever is in it.
    package init(literally text: String) { self.init(tokens: text.unicodeScalars.map(\.value)) }

    init(tokens: [Token]) {
        self.tokens = tokens
        isLiteral = !tokens.contains { $0 >= Self.run }
    }

    /// The only text that it matches; nil where it has wildcards.
    package var literal: String? {
        guard isLiteral else { return nil }
        var text = ""
        text.unicodeScalars.append(contentsOf: tokens.compactMap(Unicode.Scalar.init))
        return text
    }

    /// Whether it matches every text.
    package var isEverything: Bool { !tokens.isEmpty && tokens.allSatisfy { $0 == Self.run } }

    /// Linear in the product of both lengths at worst: no pattern can make it run away.
    package func matches(_ name: String) -> Bool {
        var steps = 0
        return matches(name, steps: &steps)
    }

    /// The same, counting what it does.
    func matches(_ name: String, steps: inout Int) -> Bool {
        let scalars = name.unicodeScalars
        var at = scalars.startIndex
        var inPattern = 0
        var afterStar: (pattern: Int, name: String.Index)?
        while at < scalars.endIndex {
            steps += 1
            if inPattern < tokens.count, tokens[inPattern] == Self.run {
                afterStar = (inPattern + 1, at)
                inPattern += 1
            } else if inPattern < tokens.count, tokens[inPattern] == Self.one || tokens[inPattern] == scalars[at].value {
                at = scalars.index(after: at)
                inPattern += 1
            } else if let star = afterStar {
                let next = scalars.index(after: star.name)
                afterStar = (star.pattern, next)
                inPattern = star.pattern
                at = next
            } else {
                return false
            }
        }
        while inPattern < tokens.count, tokens[inPattern] == Self.run { inPattern += 1 }
        return inPattern == tokens.count
    }

    /// Whether some text matches both.
    package func intersects(_ other: Glob) -> Bool {
        // row[j]: the tokens of this so far and the first j of the other can stand for one text.
        var row = [Bool](repeating: false, count: other.tokens.count + 1)
        for i in 0...tokens.count {
            var next = [Bool](repeating: false, count: other.tokens.count + 1)
            for j in 0...other.tokens.count {
                let (a, b) = (i > 0 ? tokens[i - 1] : nil, j > 0 ? other.tokens[j - 1] : nil)
                if a == nil, b == nil {
                    next[j] = true
                } else if a == Self.run || b == Self.run {
                    // A wildcard takes the other's token, or nothing.
                    next[j] = a == Self.run && row[j] || b == Self.run && next[j - 1] || a != nil && b != nil && (row[j] || next[j - 1])
                } else if let a, let b, a == b || a == Self.one || b == Self.one {
                    next[j] = row[j - 1]
                }
            }
            row = next
        }
        return row[other.tokens.count]
    }
}
