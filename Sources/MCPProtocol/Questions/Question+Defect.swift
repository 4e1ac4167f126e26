import JSON

extension Question {
    /// What is wrong with it, in words that quote nothing of it; nil where nothing is that a client should not have to see.
    package var defect: String? {
        guard !key.hasHidden else { return "its key holds characters that nobody sees" }
        guard params["_meta"].map({ $0.members != nil }) ?? true else { return "`_meta` must be an object" }
        switch method {
        case .elicit:
            guard params["message"]?.string != nil else { return "`message` must be a string" }
            return isLink ? linkDefect : formDefect
        case .sample: return samplingDefect
        default: return nil
        }
    }

    private var linkDefect: String? {
        guard let url = params["url"]?.string else { return "`url` must be a string" }
        return url.isPlainWebAddress ? nil : "`url` must be an http or https address, without a user's name and with nothing hidden in it"
    }

    /// Names and values come back from the client as they are, so what is not seen of them can't be left out
    /// (MCP 2026-07-28 client/elicitation, "Requested Schema").
    private var formDefect: String? {
        guard params["mode"] == nil || params["mode"] == "form" else { return "`mode` must be form or url" }
        guard let schema = params["requestedSchema"], schema.members != nil else { return "`requestedSchema` must be an object" }
        guard schema["type"] == nil || schema["type"] == "object" else { return "`requestedSchema` must be of an object" }
        let properties = schema["properties"] ?? [:]
        guard properties.members?.allSatisfy({ $0.value.members != nil }) == true else { return "`properties` must be an object of schemas" }
        guard schema["required"]?.isStrings ?? true else { return "`required` must be an array of strings" }
        return schema.hasHiddenNames ? "a name or a value in `requestedSchema` holds characters that nobody sees" : nil
    }

    /// MCP 2026-07-28 client/sampling, "Creating Messages".
    private var samplingDefect: String? {
        guard let messages = params["messages"]?.array, messages.allSatisfy(\.isSamplingMessage) else {
            return "`messages` must be an array of messages with `role` and `content`"
        }
        guard params["maxTokens"]?.double != nil else { return "`maxTokens` must be a number" }
        guard params["systemPrompt"].map({ $0.string != nil }) ?? true else { return "`systemPrompt` must be a string" }
        guard params["stopSequences"]?.isStrings ?? true else { return "`stopSequences` must be an array of strings" }
        for member in ["modelPreferences", "metadata", "toolChoice"] where params[member].map({ $0.members == nil }) ?? false {
            return "`\(member)` must be an object"
        }
        guard let tools = params["tools"] else { return nil }
        guard tools.array?.allSatisfy({ $0["name"]?.string?.hasHidden == false && $0["inputSchema"]?.members != nil }) == true else {
            return "`tools` must be an array of tools with plain names and `inputSchema`"
        }
        return nil
    }
}

extension String {
    /// Whether it is an address that a browser goes to, and whose host is where it seems to go: ASCII (RFC 3986 §2), without user information,
    /// and with no backslash, which browsers take for a slash.
    fileprivate var isPlainWebAddress: Bool {
        let start = ["https://", "http://"].first { prefix($0.count).lowercased() == $0 }
        guard let start, utf8.count <= 8_192, utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#"\<>""#.utf8.contains($0) }) else { return false }
        let authority = dropFirst(start.count).prefix { !"/?#".contains($0) }
        return !authority.isEmpty && !authority.hasPrefix(":") && authority.allSatisfy { $0.isLetter || $0.isNumber || ".-_:[]".contains($0) }
    }
}

extension JSONValue {
    fileprivate var isStrings: Bool { array?.allSatisfy { $0.string != nil } == true }

    fileprivate var isSamplingMessage: Bool {
        guard self["role"] == "user" || self["role"] == "assistant" else { return false }
        let content = self["content"]
        return (content?.array ?? content.map { [$0] } ?? []).allSatisfy { $0["type"]?.string != nil } && content != nil
    }

    /// Whether a schema has a key, or a value to choose, in which something is hidden.
    fileprivate var hasHiddenNames: Bool {
        switch self {
        case .object(let members):
            members.contains { member in
                if member.key.hasHidden { return true }
                switch (member.key, member.value) {
                case ("title", .string), ("description", .string), ("default", .string), ("enumNames", .array), ("default", .array): return false
                default: return member.value.hasHiddenNames
                }
            }
        case .array(let elements): elements.contains(where: \.hasHiddenNames)
        case .string(let text): text.hasHidden
        default: false
        }
    }
}
