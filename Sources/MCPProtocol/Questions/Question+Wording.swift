import JSON

extension Question {
    /// The same as a person may see it: it says who asks, and what is written in it is what is shown.
    ///
    /// Control characters and marks of direction could make a text look like another, or like the client's own
    /// (MCP 2026-07-28 client/elicitation, "Security Considerations").
    package func worded(by upstream: String) -> Question {
        var question = self
        var params: JSONValue = self.params
        params["task"] = nil
        if var meta = params["_meta"] {
            meta["progressToken"] = nil
            params["_meta"] = meta.members?.isEmpty == true ? nil : meta
        }
        if method == .elicit {
            params["message"] = .string("\(upstream): \((params["message"]?.string ?? "").withoutControls)")
            if let schema = params["requestedSchema"] { params["requestedSchema"] = schema.withPlainTitles(depth: 8) }
        }
        question.params = params
        return question
    }

    /// What is wrong with it, where something is that no client should have to see.
    package var defect: String? {
        switch method {
        case .elicit:
            guard params["message"]?.string != nil else { return "`message` must be a string" }
            if isLink {
                guard let url = params["url"]?.string else { return "`url` must be a string" }
                guard url.isWebAddress else { return "`url` must be an http or https address" }
            } else {
                guard params["mode"] == nil || params["mode"] == "form" else { return "`mode` must be form or url" }
                guard params["requestedSchema"]?.members != nil else { return "`requestedSchema` must be an object" }
            }
        case .sample: guard params["messages"]?.array != nil else { return "`messages` must be an array" }
        default: break
        }
        return nil
    }
}

extension String {
    /// Without characters that control a terminal, a line or the direction of writing; line breaks become spaces.
    package var withoutControls: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if ["\n", "\t", "\u{2028}", "\u{2029}"].contains(scalar) { text.unicodeScalars.append(" ") }
            if !scalar.isControl { text.unicodeScalars.append(scalar) }
        }
        return text
    }

    /// Whether it is an address that a browser goes to, with nothing in it that is not shown.
    fileprivate var isWebAddress: Bool {
        let lower = prefix(8).lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://"), utf8.count <= 8_192 else { return false }
        return unicodeScalars.allSatisfy { $0.value > 0x20 && !$0.isControl && !$0.properties.isWhitespace }
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F: true
        // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension JSONValue {
    /// A schema whose texts for people hold no control characters; names and values stay as they are.
    fileprivate func withPlainTitles(depth: Int) -> JSONValue {
        guard depth > 0 else { return self }
        switch self {
        case .object(let members):
            return .object(
                members.map { member in
                    if member.key == "title" || member.key == "description", let text = member.value.string {
                        return Member(member.key, .string(text.withoutControls))
                    }
                    if member.key == "enumNames", let names = member.value.array {
                        return Member(member.key, .array(names.map { $0.string.map { .string($0.withoutControls) } ?? $0 }))
                    }
                    return Member(member.key, member.value.withPlainTitles(depth: depth - 1))
                })
        case .array(let elements): return .array(elements.map { $0.withPlainTitles(depth: depth - 1) })
        default: return self
        }
    }
}
