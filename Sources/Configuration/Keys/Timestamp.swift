#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment as people write it, in UTC: `2027-01-31`, which is its first second, or `2027-01-31T18:00:00Z`.
package struct Timestamp: Hashable, Sendable, CustomStringConvertible {
    /// Since 1970.
    package var seconds: Int

    package init(seconds: Int) { self.seconds = seconds }

    package static var now: Timestamp { Timestamp(seconds: time(nil)) }

    /// Nil for anything else, such as the 30th of February.
    package init?(_ text: String) {
        let whole = text.utf8.count == 10 ? text + "T00:00:00Z" : text
        let bytes = Array(whole.utf8)
        let pattern = Array("0000-00-00T00:00:00Z".utf8)
        let isZero = { (byte: UInt8) in byte == UInt8(ascii: "0") }
        guard bytes.count == pattern.count, zip(bytes, pattern).allSatisfy({ isZero($1) ? isDigit($0) : $0 == $1 }) else { return nil }
        func number(_ range: Range<Int>) -> Int32 { bytes[range].reduce(0) { $0 * 10 + Int32($1 - UInt8(ascii: "0")) } }
        var parts = tm()
        parts.tm_year = number(0..<4) - 1_900
        parts.tm_mon = number(5..<7) - 1
        parts.tm_mday = number(8..<10)
        parts.tm_hour = number(11..<13)
        parts.tm_min = number(14..<16)
        parts.tm_sec = number(17..<19)
        seconds = timegm(&parts)
        // The system takes the 30th of February for a day in March.
        guard description == whole else { return nil }
    }

    /// `2027-01-31T18:00:00Z`.
    package var description: String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        return "\(padded(parts.tm_year + 1_900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
            + "T\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))Z"
    }

    private func padded(_ number: Int32, _ length: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, length - digits.count)) + digits
    }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
