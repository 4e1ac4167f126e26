#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A string inside a JSON text that was already validated: where its characters lie, without the quotes.
package struct JSONText: Hashable, Sendable {
    package let range: Range<Int>
    package let hasEscapes: Bool

    package init(range: Range<Int>, hasEscapes: Bool) {
        self.range = range
        self.hasEscapes = hasEscapes
    }

    /// The text, escapes decoded. A lone surrogate becomes U+FFFD.
    package func string(in bytes: Span<UInt8>) -> String {
        guard hasEscapes else {
            return bytes.bytes.withUnsafeBytes { raw in String(decoding: UnsafeRawBufferPointer(rebasing: raw[range]), as: UTF8.self) }
        }
        return String(decoding: decoded(in: bytes), as: UTF8.self)
    }

    /// Whether the text is `literal`, however it was escaped.
    @inline(__always)
    package func isEqual(_ literal: StaticString, in bytes: Span<UInt8>) -> Bool {
        guard !hasEscapes else { return string(in: bytes) == literal.description }
        guard range.count == literal.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBytes { raw in
            guard range.upperBound <= raw.count, let base = raw.baseAddress else { return range.isEmpty }
            return memcmp(base + range.lowerBound, literal.utf8Start, range.count) == 0
        }
    }

    private func decoded(in bytes: Span<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            guard bytes[at] == UInt8(ascii: "\\") else {
                result.append(bytes[at])
                at += 1
                continue
            }
            at += 2
            switch bytes[at - 1] {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): result.append(contentsOf: String(decodeUnicode(at: &at, in: bytes)).utf8)
            default: result.append(bytes[at - 1])
            }
        }
        return result
    }

    /// At the first of four hexadecimal digits; takes a following low surrogate along.
    private func decodeUnicode(at: inout Int, in bytes: Span<UInt8>) -> Character {
        let high = codeUnit(at: at, in: bytes)
        at += 4
        if (0xD800...0xDBFF).contains(high), at + 6 <= range.upperBound, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") {
            let low = codeUnit(at: at + 2, in: bytes)
            if (0xDC00...0xDFFF).contains(low) {
                at += 6
                let scalar = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
                return Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")
            }
        }
        return Character(Unicode.Scalar(high) ?? "\u{FFFD}")
    }

    private func codeUnit(at start: Int, in bytes: Span<UInt8>) -> UInt16 {
        var unit: UInt16 = 0
        for index in start..<start + 4 { unit = unit << 4 | (hexDigit(bytes[index]) ?? 0) }
        return unit
    }
}
