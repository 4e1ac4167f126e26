import Auth

/// Tells which URIs a template (RFC 6570) can stand for; of two readings the wider one, since it is the upstream that reads it in the end.
package struct URITemplate: Hashable, Sendable {
    private enum Part: Hashable {
        case byte(UInt8)
        /// Any bytes; with `isSegment` none that part a URI: `/`, `?`, `#`. At least one unless it may be empty.
        case run(isSegment: Bool, mayBeEmpty: Bool)
    }

    private let parts: [Part]
    /// The same for rules, somewhat wider.
    package let glob: Glob

    package init(_ text: String) {
        var parts: [Part] = []
        var glob = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            parts += rest[..<open].utf8.map { .byte($0) }
            glob += rest[..<open] + "*"
            parts += Self.expression(rest[rest.index(after: open)..<close])
            rest = rest[rest.index(after: close)...]
        }
        self.parts = parts + rest.utf8.map { .byte($0) }
        self.glob = Glob(glob + rest)
    }

    /// RFC 6570 §2.2: by its operator, an expression may hold what parts a URI, or be nothing at all.
    private static func expression(_ text: Substring) -> [Part] {
        switch text.first {
        case "+": [.run(isSegment: false, mayBeEmpty: false)]
        case "#", "?", "&", ";", ".", "/": [.run(isSegment: false, mayBeEmpty: true)]
        default: [.run(isSegment: !text.contains(","), mayBeEmpty: false)]
        }
    }

    /// Takes time in the product of both lengths at most: no template can make it run away.
    package func matches(_ uri: String) -> Bool {
        // reached[i]: the first i parts can stand for the bytes so far.
        var reached = [Bool](repeating: false, count: parts.count + 1)
        reached[0] = true
        skipEmpty(&reached)
        for byte in uri.utf8 {
            var next = [Bool](repeating: false, count: parts.count + 1)
            var isAny = false
            for (index, part) in parts.enumerated() {
                switch part {
                case .byte(let wanted): next[index + 1] = next[index + 1] || reached[index] && wanted == byte
                case .run(let isSegment, _):
                    let isFit = !isSegment || byte != UInt8(ascii: "/") && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
                    // The run begins, or goes on.
                    if isFit, reached[index] || reached[index + 1] { next[index + 1] = true }
                }
                isAny = isAny || next[index + 1]
            }
            guard isAny else { return false }
            reached = next
            skipEmpty(&reached)
        }
        return reached[parts.count]
    }

    private func skipEmpty(_ reached: inout [Bool]) {
        for (index, part) in parts.enumerated() {
            if case .run(_, mayBeEmpty: true) = part, reached[index] { reached[index + 1] = true }
        }
    }
}
