#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks at an answer no more closely than is needed to know that it is the right one.
enum Answer {
    /// Whether the bytes hold a result with that id; the place of both is at the beginning of every server's answers.
    static func isResult(_ bytes: UnsafeRawBufferPointer, id: Int) -> Bool {
        // A result's own text comes after these, so an error hidden behind them is none of ours.
        holds(bytes, "\"id\":\(id)") && holds(bytes, "\"result\":")
    }

    /// The number after the first `"id":`, where it stands within the first bytes; nil for other messages.
    static func id(of line: [UInt8]) -> Int? {
        line.withUnsafeBytes { bytes in
            guard let start = position(of: "\"id\":", in: UnsafeRawBufferPointer(rebasing: bytes.prefix(64))) else { return nil }
            return bytes[(start + 5)...].prefix { (0x30...0x39).contains($0) }.reduce(into: Int?.none) { number, digit in
                number = (number ?? 0) * 10 + Int(digit - 0x30)
            }
        }
    }

    private static func holds(_ bytes: UnsafeRawBufferPointer, _ text: String) -> Bool {
        // Nearly always at the front, so that 64 KB needn't be searched.
        position(of: text, in: UnsafeRawBufferPointer(rebasing: bytes.prefix(96))) != nil || position(of: text, in: bytes) != nil
    }

    static func position(of text: String, in bytes: UnsafeRawBufferPointer) -> Int? {
        var text = text
        return text.withUTF8 { pattern in
            guard let base = bytes.baseAddress, let wanted = pattern.baseAddress, bytes.count >= pattern.count else { return nil }
            var at = 0
            while let found = memchr(base + at, Int32(wanted[0]), bytes.count - pattern.count + 1 - at) {
                at = UnsafeRawPointer(found) - base
                if memcmp(found, wanted, pattern.count) == 0 { return at }
                at += 1
                if at > bytes.count - pattern.count { break }
            }
            return nil
        }
    }
}
