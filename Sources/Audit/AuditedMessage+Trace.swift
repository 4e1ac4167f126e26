import JSON

extension AuditedMessage {
    /// The trace that the client says the call belongs to, where it has the form of W3C Trace Context §3.2.2; else nil.
    var traceparent: String? {
        for member in meta where bytes[member].starts(with: "\"traceparent\"".utf8) {
            let colon = member.lowerBound + 13
            guard let start = bytes[colon..<member.upperBound].firstIndex(of: UInt8(ascii: "\"")),
                case .string(let text)? = try? JSONValue(parsing: start..<member.upperBound, of: bytes)
            else { continue }
            return Self.isTrace(text) ? text : nil
        }
        return nil
    }

    /// `00-` 32 digits `-` 16 digits `-` 2 digits, hexadecimal in lower case.
    private static func isTrace(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.map(\.count) == [2, 32, 16, 2] else { return false }
        return parts.joined().allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }
}
