import JSON

/// Several messages in one array, as revision 2025-03-26 allows.
enum Batch {
    private static let messagesMax = 100

    /// The messages one by one; nil when the text is no array. Throws −32700 for a broken one, −32600 for an empty or huge one.
    static func messages(in bytes: [UInt8]) throws(Fault) -> [[UInt8]]? {
        var scanner = JSONScanner()
        var result: [[UInt8]] = []
        do throws(JSONError) {
            guard try scanner.nextKind(in: bytes.span) == .array else { return nil }
            try scanner.beginArray(in: bytes.span)
            while try scanner.nextElement(in: bytes.span) {
                result.append(Array(bytes[try scanner.skipValue(in: bytes.span).range]))
            }
            try scanner.end(in: bytes.span)
        } catch {
            throw .parse
        }
        guard (1...messagesMax).contains(result.count) else { throw .invalidRequest("A batch holds 1 to \(messagesMax) messages.") }
        return result
    }

    /// One array of the answers.
    static func joined(_ answers: [[UInt8]]) -> [UInt8] { Array("[".utf8) + answers.joined(separator: ",".utf8) + Array("]".utf8) }
}
