import JSON

/// Tools that cost as good as nothing, so that what stands in front of them can be measured.
enum BenchTools {
    /// `echo`, `large`, and as many more as make up the count.
    static func tools(count: Int) -> [Tool] {
        let text = ("text", Schema.string("What to say."))
        let filling = String(repeating: filler, count: 64 * 1024 / filler.utf8.count)
        let large = Array("\"content\":[{\"type\":\"text\",\"text\":\"\(filling)\"}]".utf8)
        let named = [
            Tool(
                name: "echo", title: "Echo", description: "Answers with the text, in about 300 bytes.", hints: .init(isReadOnly: true),
                input: Schema.object([text], required: ["text"]), action: .raw(echo)),
            Tool(
                name: "large", title: "Large", description: "Answers with 64 KB of text.", hints: .init(isReadOnly: true),
                input: Schema.object([]), action: .raw { _ in large }),
        ]
        let more = (0..<max(0, count - named.count)).map { number in
            Tool(
                name: "tool_\(number)", title: "Tool \(number)",
                description: "Looks up record \(number) by its key and answers with what is on file.", hints: .init(isReadOnly: true),
                input: Schema.object([text], required: ["text"]), action: .raw(echo))
        }
        return named + more
    }

    private static let filler = "The quick brown fox jumps over the lazy dog, twice a day. 123456"

    /// The member `text` as it was spelt, between constant bytes.
    @Sendable private static func echo(_ arguments: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append("\"content\":[{\"type\":\"text\",\"text\":\"")
        bytes.append(contentsOf: filler.utf8)
        bytes.append("\"},{\"type\":\"text\",\"text\":")
        bytes.append(contentsOf: textMember(of: arguments) ?? ArraySlice("\"\"".utf8))
        bytes.append("}]")
        return bytes
    }

    private static func textMember(of arguments: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let copy = Array(arguments)
        let span = copy.span
        var scanner = JSONScanner()
        do throws(JSONError) {
            try scanner.beginObject(in: span)
            while let key = try scanner.nextKey(in: span) {
                let value = try scanner.skipValue(in: span)
                if value.kind == .string, key.isEqual("text", in: span) { return copy[value.range] }
            }
        } catch {}
        return nil
    }
}
