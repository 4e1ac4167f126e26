import JSON

extension Message {
    /// What makes a result no answer to a request of that method, in words that quote nothing of it; nil for one that is fit, and for errors.
    ///
    /// `mayBeTask` is whether the request asked for a task in the legacy form. Of a kind that no revision has is what a client must take for
    /// invalid (MCP 2026-07-28 basic/index, "ResultType").
    package func answerDefect(to method: Method?, mayBeTask: Bool = false) -> String? {
        guard let result else { return nil }
        if let type = result.resultType, !says("complete", type) {
            guard method == .callTool, result.isTask(in: self) else { return "its `resultType` is none that may be here" }
            return nil
        }
        if let meta = result.meta, meta.kind != .object { return "its `_meta` is no object" }
        switch method {
        case .callTool:
            if mayBeTask, result.task == .sound { return nil }
            if result.isError == .unsound { return "its `isError` is neither true nor false" }
            return result.lacksContent ? nil : result.content.defect(of: "content", "type")
        case .getPrompt: return result.messages.defect(of: "messages", "role")
        case .readResource: return result.contents.defect(of: "contents", "uri")
        case .complete: return completionDefect(result)
        default: return nil
        }
    }

    private func completionDefect(_ result: Result) -> String? {
        guard let completion = result.completion, completion.kind == .object else { return "its `completion` is no object" }
        let tree = value(completion)
        guard let values = tree["values"]?.array, values.allSatisfy({ $0.string != nil }) else { return "its `completion.values` are no strings" }
        guard tree["total"].map({ $0.double != nil }) ?? true else { return "its `completion.total` is no number" }
        return tree["hasMore"].map { $0.bool != nil } ?? true ? nil : "its `completion.hasMore` is neither true nor false"
    }
}

extension Message.Result.Form {
    fileprivate func defect(of member: String, _ key: String) -> String? {
        switch self {
        case .sound: nil
        case .missing: "it has no `\(member)`"
        case .unsound: "its `\(member)` is no array of objects with `\(key)`"
        }
    }
}

extension JSONValue {
    /// What makes this no tool's result, in words that quote nothing of it; nil where nothing does.
    package var toolResultDefect: String? {
        let bytes = Array(#"{"jsonrpc":"2.0","id":0,"result":"#.utf8) + bytes + Array("}".utf8)
        guard let message = try? Message(scanning: bytes, depthMax: .max) else { return "it is no object, or has a member twice" }
        return message.answerDefect(to: .callTool)
    }
}
