import JSON

/// What an upstream asks its client in mid-call, in the inner form (MCP 2026-07-28 basic/patterns/mrtr, "InputRequests").
package struct Question: Sendable {
    /// Tells it from the others of the same call.
    package let key: String
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    package let method: Method
    /// An object.
    package var params: JSONValue

    /// Nil for a method that asks nothing of a client.
    package init?(key: String, method: Method?, params: JSONValue) {
        guard let method, [.elicit, .sample, .listRoots].contains(method), params.members != nil else { return nil }
        self.key = key
        self.method = method
        self.params = params
    }

    /// One entry of `inputRequests`; nil for what is none.
    package init?(key: String, request: JSONValue) {
        self.init(key: key, method: request["method"]?.string.flatMap(Method.init), params: request["params"] ?? [:])
    }

    /// Whether it says of which task it is (MCP 2025-11-25 basic/utilities/tasks, "Associating Task-Related Messages").
    package var isOfTask: Bool { params["_meta"]?[TaskExtension.relatedTask] != nil }
    /// That task's id; nil where it is of none.
    package var task: String? { params["_meta"]?[TaskExtension.relatedTask]?["taskId"]?.string }

    /// The same as a question of that task, or, for nil, of none.
    package func related(toTask id: String?) -> Question {
        var question = self
        question.params = params.relatedToTask(id)
        return question
    }

    /// Whether a person is asked to open a link, not to fill in a form.
    package var isLink: Bool { method == .elicit && params["mode"] == "url" }

    /// The same as an entry of `inputRequests`, without what the modern era doesn't know.
    package var request: JSONValue {
        var params = params
        params["elicitationId"] = nil
        return params.members?.isEmpty == true && method == .listRoots
            ? ["method": .string(method.rawValue)] : ["method": .string(method.rawValue), "params": params]
    }

    /// The same as a JSON-RPC request to a legacy client; `id` is ours. A link gets an `elicitationId` where it has none
    /// (MCP 2025-11-25 client/elicitation, "URL Mode Elicitation Requests").
    package func bytes(id: String) -> [UInt8] {
        var params = params
        if isLink, params["elicitationId"] == nil { params["elicitationId"] = .string(id) }
        var message: JSONValue = ["jsonrpc": "2.0", "id": .string(id), "method": .string(method.rawValue)]
        if params.members?.isEmpty == false { message["params"] = params }
        return message.bytes
    }
}

/// What a client says to a question.
package enum Answer: Sendable {
    /// An `ElicitResult`, `CreateMessageResult` or `ListRootsResult`.
    case result(JSONValue)
    /// It will not or cannot, or nobody said anything in time.
    case refusal(ProtocolError)

    /// From a legacy client's response.
    package init(_ response: Message) {
        if let result = response.result {
            self = .result((try? JSONValue(parsing: result.range, of: response.bytes)) ?? [:])
            return
        }
        let error = response.error.map(response.value)
        let code = ErrorCode(rawValue: error?["code"]?.integer ?? ErrorCode.internalError.rawValue)
        self = .refusal(ProtocolError(code, error?["message"]?.string ?? "no reason given", data: error?["data"]))
    }

    /// From an entry of `inputResponses`; nil for what does not answer this question.
    package init?(_ response: JSONValue?, to question: Question) {
        guard let response, response.members != nil else { return nil }
        switch question.method {
        case .elicit: guard ["accept", "decline", "cancel"].contains(response["action"]?.string) else { return nil }
        case .sample: guard response["role"]?.string != nil, response["content"] != nil, response["model"]?.string != nil else { return nil }
        default: guard response["roots"]?.array != nil else { return nil }
        }
        var result = response
        result["resultType"] = nil
        self = .result(result)
    }

    /// The same as the answer to a question of that task, or, for nil, of none: what the client says of that is in its own words.
    package func related(toTask id: String?) -> Answer {
        guard case .result(let result) = self, id != nil || result["_meta"] != nil else { return self }
        return .result(result.relatedToTask(id))
    }

    /// The same as the response to a legacy upstream's request; `id` is the upstream's as it was spelt.
    package func bytes(id: some Collection<UInt8>) -> [UInt8] {
        switch self {
        case .result(let result): Reply(result: Array(result.bytes.dropFirst().dropLast()), id: id, era: .legacy).bytes
        case .refusal(let error): Reply(error, id: id).bytes
        }
    }

    /// The same as an entry of `inputResponses`; nil where the modern era has no words for it, since a refusal has them for people only.
    package func response(to question: Question) -> JSONValue? {
        switch self {
        case .result(let result): result
        case .refusal: question.method == .elicit ? ["action": "cancel"] : nil
        }
    }
}

extension ClientAbilities {
    /// What a client must be able to do to be asked this.
    package init(neededFor question: Question) {
        switch question.method {
        case .elicit: self = question.isLink ? .links : .forms
        case .sample: self = question.params["tools"] == nil ? .sampling : [.sampling, .samplingTools]
        case .listRoots: self = .roots
        default: self = []
        }
    }
}
