import JSON

extension Question {
    /// The same as a person may see it: it says who asks, and what is written in it is what is shown.
    ///
    /// In a form and a link the message begins with the upstream's name. What a model is given to read must stay what the upstream means, so there
    /// the name stands in `_meta`.
    package func worded(by upstream: String) -> Question {
        var question = self
        var params: JSONValue = .object((self.params.members ?? []).filter { members.contains($0.key) })
        var meta = params["_meta"]?.withoutHidden ?? [:]
        meta["progressToken"] = nil
        if method == .sample { meta[MetaKey.upstream] = .string(upstream) }
        params["_meta"] = meta.members?.isEmpty == true ? JSONValue?.none : meta
        switch method {
        case .elicit:
            params["message"] = .string("\(upstream): \((params["message"]?.string ?? "").onOneLine)")
            if let schema = params["requestedSchema"] { params["requestedSchema"] = schema.wholeForm }
        case .sample:
            if let prompt = params["systemPrompt"]?.string { params["systemPrompt"] = .string(prompt.inPlainLines) }
            if let messages = params["messages"]?.array { params["messages"] = .array(messages.map { $0.changing("content", \.plainContent) }) }
            if let tools = params["tools"] { params["tools"] = tools.withPlainTexts }
        default: break
        }
        question.params = params
        return question
    }

    /// What a question has in either era but `task`, which is between the upstream and us; what else an upstream writes is dropped.
    private var members: [String] {
        switch method {
        case .elicit where isLink: ["_meta", "mode", "message", "url", "elicitationId"]
        case .elicit: ["_meta", "mode", "message", "requestedSchema"]
        case .sample:
            [
                "_meta", "messages", "modelPreferences", "systemPrompt", "includeContext", "temperature", "maxTokens", "stopSequences", "metadata",
                "tools", "toolChoice",
            ]
        default: ["_meta"]
        }
    }
}

extension JSONValue {
    /// A form's schema whose texts are plain. The form of a form goes without saying, and so does that it asks for nothing.
    fileprivate var wholeForm: JSONValue {
        var form = withPlainTexts
        if form["type"] == nil { form["type"] = "object" }
        if form["properties"] == nil { form["properties"] = [:] }
        return form
    }

    /// A schema, or a tool, whose texts for people hold nothing hidden; names and values stay as they are.
    fileprivate var withPlainTexts: JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    switch (member.key, member.value) {
                    case ("title", .string(let text)), ("description", .string(let text)): Member(member.key, .string(text.onOneLine))
                    case ("enumNames", .array(let names)), ("default", .array(let names)): Member(member.key, .array(names.map(\.plainText)))
                    case ("default", .string): Member(member.key, member.value.plainText)
                    default: Member(member.key, member.value.withPlainTexts)
                    }
                })
        case .array(let elements): .array(elements.map(\.withPlainTexts))
        default: self
        }
    }

    /// Without members whose name has something hidden, and with texts that have nothing, at any depth.
    fileprivate var withoutHidden: JSONValue {
        switch self {
        case .object(let members): .object(members.filter { !$0.key.hasHidden }.map { Member($0.key, $0.value.withoutHidden) })
        case .array(let elements): .array(elements.map(\.withoutHidden))
        default: plainText
        }
    }

    fileprivate var plainText: JSONValue { string.map { .string($0.inPlainLines) } ?? self }

    /// One block of a message's content or several, with the texts of tools' results.
    fileprivate var plainContent: JSONValue {
        if let blocks = array { return .array(blocks.map(\.plainContent)) }
        switch self["type"] {
        case "text": return changing("text", \.plainText)
        case "tool_result": return changing("content", \.plainContent)
        default: return self
        }
    }

    fileprivate func changing(_ key: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard let value = self[key] else { return self }
        var changed = self
        changed[key] = change(value)
        return changed
    }
}
