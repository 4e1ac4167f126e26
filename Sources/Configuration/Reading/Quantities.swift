/// `30s`, `500ms`, `10m`, `2h`: how times are written.
func duration(_ text: String) -> Duration? {
    guard let (number, unit) = numberAndUnit(text) else { return nil }
    switch unit {
    case "ms": return .milliseconds(number)
    case "s": return .seconds(number)
    case "m": return .seconds(number * 60)
    case "h": return .seconds(number * 3_600)
    default: return nil
    }
}

/// `4MiB`, `16KiB`, `1GiB`, `300B`, or a plain number: how sizes are written, in bytes.
func byteCount(_ text: String) -> Int? {
    guard let (number, unit) = numberAndUnit(text) else { return nil }
    switch unit {
    case "", "B": return number
    case "KiB": return number << 10
    case "MiB": return number << 20
    case "GiB": return number << 30
    default: return nil
    }
}

/// The longest unit that says it in a whole number.
func spelled(_ duration: Duration) -> String {
    let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    if milliseconds % 1_000 != 0 { return "\(milliseconds)ms" }
    let seconds = milliseconds / 1_000
    if seconds != 0 && seconds % 3_600 == 0 { return "\(seconds / 3_600)h" }
    if seconds != 0 && seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
}

/// The largest unit that says it in a whole number.
func spelled(bytes: Int) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes != 0 && bytes % (1 << shift) == 0 {
        return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)B"
}

/// At most nine digits, so that no unit overflows.
private func numberAndUnit(_ text: String) -> (Int, String)? {
    let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...9).contains(digits.count), let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    return (number, String(text.dropFirst(digits.count)).trimmingSpaces())
}

extension String {
    func trimmingSpaces() -> String {
        var rest = self[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
