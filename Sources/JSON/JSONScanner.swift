/// Walks over a JSON text once, validating all of it (RFC 8259, UTF-8 included), and tells where its parts lie.
///
/// The bytes are handed to each method, so a scanner is a small value and holds nothing. Objects are walked with
/// `beginObject` and `nextKey` until that returns nil; each member's value must be consumed before the next key.
package struct JSONScanner {
    package private(set) var position: Int
    private let depthMax: Int
    private var depth = 0
    private var isAfterValue = false

    package init(at position: Int = 0, depthMax: Int = 128) {
        self.position = position
        self.depthMax = depthMax
    }

    /// The kind of the value that comes next.
    package mutating func nextKind(in bytes: Span<UInt8>) throws(JSONError) -> JSONKind {
        try skipWhitespace(in: bytes)
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    package mutating func beginObject(in bytes: Span<UInt8>) throws(JSONError) { try begin(UInt8(ascii: "{"), in: bytes) }
    package mutating func beginArray(in bytes: Span<UInt8>) throws(JSONError) { try begin(UInt8(ascii: "["), in: bytes) }

    /// The next member's key, with the colon consumed; nil when the object has ended.
    package mutating func nextKey(in bytes: Span<UInt8>) throws(JSONError) -> JSONText? {
        guard try advanceInContainer(closedBy: UInt8(ascii: "}"), in: bytes) else { return nil }
        guard bytes[position] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
        let key = try scanString(in: bytes)
        try skipWhitespace(in: bytes)
        guard bytes[position] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: position) }
        position += 1
        return key
    }

    /// Whether the array has another element, which then comes next.
    package mutating func nextElement(in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        try advanceInContainer(closedBy: UInt8(ascii: "]"), in: bytes)
    }

    /// Consumes the value that comes next and tells its kind and where it lies, without surrounding white space.
    @discardableResult
    package mutating func skipValue(in bytes: Span<UInt8>) throws(JSONError) -> JSONExtent {
        let kind = try nextKind(in: bytes)
        let start = position
        switch kind {
        case .object: try skipContainers(in: bytes)
        case .array: try skipContainers(in: bytes)
        case .string: _ = try scanString(in: bytes)
        case .number: try skipNumber(in: bytes)
        case .bool: try skipWord(bytes[start] == UInt8(ascii: "t") ? "true" : "false", in: bytes)
        case .null: try skipWord("null", in: bytes)
        }
        isAfterValue = true
        return JSONExtent(kind: kind, range: start..<position)
    }

    /// Consumes a string value.
    package mutating func string(in bytes: Span<UInt8>) throws(JSONError) -> JSONText {
        guard try nextKind(in: bytes) == .string else { throw JSONError(.wrongKind, at: position) }
        let text = try scanString(in: bytes)
        isAfterValue = true
        return text
    }

    /// Makes sure that only white space follows.
    package mutating func end(in bytes: Span<UInt8>) throws(JSONError) {
        while position < bytes.count {
            guard isWhitespace(bytes[position]) else { throw JSONError(.trailingBytes, at: position) }
            position += 1
        }
    }

    // MARK: - Containers

    private mutating func begin(_ opening: UInt8, in bytes: Span<UInt8>) throws(JSONError) {
        try skipWhitespace(in: bytes)
        guard bytes[position] == opening else { throw JSONError(.wrongKind, at: position) }
        depth += 1
        guard depth <= depthMax else { throw JSONError(.tooDeep, at: position) }
        position += 1
        isAfterValue = false
    }

    private mutating func advanceInContainer(closedBy closing: UInt8, in bytes: Span<UInt8>) throws(JSONError) -> Bool {
        try skipWhitespace(in: bytes)
        if bytes[position] == closing {
            position += 1
            depth -= 1
            isAfterValue = true
            return false
        }
        if isAfterValue {
            guard bytes[position] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
            try skipWhitespace(in: bytes)
            isAfterValue = false
        }
        return true
    }

    private mutating func skipContainers(in bytes: Span<UInt8>) throws(JSONError) {
        if bytes[position] == UInt8(ascii: "{") {
            try beginObject(in: bytes)
            while try nextKey(in: bytes) != nil { try skipValue(in: bytes) }
        } else {
            try beginArray(in: bytes)
            while try nextElement(in: bytes) { try skipValue(in: bytes) }
        }
    }

    // MARK: - Scalars

    @inline(__always)
    private mutating func skipWhitespace(in bytes: Span<UInt8>) throws(JSONError) {
        while position < bytes.count, isWhitespace(bytes[position]) { position += 1 }
        guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
    }

    @inline(__always)
    private func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private mutating func skipWord(_ word: StaticString, in bytes: Span<UInt8>) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
            guard bytes[position] == word.utf8Start[index] else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
        }
    }

    private mutating func skipNumber(in bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let leading = position
        guard skipDigits(in: bytes) > 0 else { throw JSONError(position < bytes.count ? .invalidNumber : .unexpectedEnd, at: position) }
        if bytes[leading] == UInt8(ascii: "0"), position - leading > 1 { throw JSONError(.invalidNumber, at: start) }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard skipDigits(in: bytes) > 0 else { throw JSONError(position < bytes.count ? .invalidNumber : .unexpectedEnd, at: position) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            guard skipDigits(in: bytes) > 0 else { throw JSONError(position < bytes.count ? .invalidNumber : .unexpectedEnd, at: position) }
        }
    }

    private mutating func skipDigits(in bytes: Span<UInt8>) -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
        return position - start
    }

    /// At the opening quote; ends behind the closing one.
    private mutating func scanString(in bytes: Span<UInt8>) throws(JSONError) -> JSONText {
        let start = position + 1
        var at = start
        var hasEscapes = false
        while true {
            at = skipPlain(from: at, in: bytes)
            guard at < bytes.count else { throw JSONError(.unexpectedEnd, at: at) }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                position = at + 1
                return JSONText(range: start..<at, hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                at = try skipEscape(at: at, in: bytes)
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: at)
            } else if byte < 0x80 {
                at += 1
            } else {
                at = try skipMultibyte(at: at, in: bytes)
            }
        }
    }

    /// Leaps over plain ASCII eight bytes at a time; stops at or before the first byte that needs a look.
    @inline(__always)
    private func skipPlain(from start: Int, in bytes: Span<UInt8>) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        return bytes.bytes.withUnsafeBytes { raw in
            var at = start
            while at + 8 <= raw.count {
                let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                let quotes = word ^ (ones &* 0x22)
                let slashes = word ^ (ones &* 0x5C)
                let found = ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word) | word
                guard found & highs == 0 else { return at + (found & highs).littleEndian.trailingZeroBitCount / 8 }
                at += 8
            }
            while at < raw.count, raw[at] >= 0x20, raw[at] < 0x80, raw[at] != 0x22, raw[at] != 0x5C { at += 1 }
            return at
        }
    }

    private func skipEscape(at start: Int, in bytes: Span<UInt8>) throws(JSONError) -> Int {
        guard start + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            for index in start + 2..<start + 6 {
                guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
                guard hexDigit(bytes[index]) != nil else { throw JSONError(.invalidEscape, at: index) }
            }
            return start + 6
        default:
            throw JSONError(.invalidEscape, at: start + 1)
        }
    }

    /// Unicode 16, table 3-7: well-formed UTF-8 only.
    private func skipMultibyte(at start: Int, in bytes: Span<UInt8>) throws(JSONError) -> Int {
        let lead = bytes[start]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: start)
        }
        for index in 1..<length {
            guard start + index < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
            guard (index == 1 ? second : 0x80...0xBF).contains(bytes[start + index]) else { throw JSONError(.invalidUTF8, at: start + index) }
        }
        return start + length
    }
}

/// The six kinds of JSON value.
package enum JSONKind: String, Hashable, Sendable {
    case null, bool, number, string, array, object
}

/// A value's kind and the bytes that it lies in.
package struct JSONExtent: Hashable, Sendable {
    package let kind: JSONKind
    package let range: Range<Int>

    package init(kind: JSONKind, range: Range<Int>) {
        self.kind = kind
        self.range = range
    }
}

func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
