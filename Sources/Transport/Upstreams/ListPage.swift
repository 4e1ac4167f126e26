import JSON
import MCPProtocol

/// One page of an upstream's list: each element as it is spelt.
struct ListPage {
    private(set) var elements: [[UInt8]] = []
    private(set) var nextCursor: String?

    /// nil when the answer is no result, or has no array of that name.
    init?(_ answer: Message, of name: StaticString) {
        guard let result = answer.result else { return nil }
        let bytes = answer.bytes
        let span = bytes.span
        var scanner = JSONScanner(at: result.range.lowerBound)
        var isList = false
        do {
            try scanner.beginObject(in: span)
            while let key = try scanner.nextKey(in: span) {
                if key.isEqual(name, in: span) {
                    try scanner.beginArray(in: span)
                    isList = true
                    while try scanner.nextElement(in: span) { elements.append(Array(answer.bytes[try scanner.skipValue(in: span).range])) }
                } else if key.isEqual("nextCursor", in: span), try scanner.nextKind(in: span) == .string {
                    nextCursor = try scanner.string(in: span).string(in: span)
                } else {
                    try scanner.skipValue(in: span)
                }
            }
        } catch {
            return nil
        }
        guard isList else { return nil }
    }
}
