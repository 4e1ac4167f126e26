import JSON

/// What a task came to: what the call would have been answered with.
package enum TaskOutcome: Sendable {
    case result(JSONValue)
    /// A JSON-RPC error.
    case error(JSONValue)

    /// What makes its result none of a tool, in words that quote nothing of it; nil where nothing does, and for errors.
    package var defect: String? { if case .result(let result) = self { result.toolResultDefect } else { nil } }

    /// A legacy upstream's answer to `tasks/result`.
    package init(_ answer: Message) {
        if let result = answer.resultTree {
            self = .result(result.relatedToTask(nil))
        } else {
            self = .error(answer.error.map(answer.value) ?? .null)
        }
    }

    /// What a modern task has inside when it has ended, or what there is to say of a legacy one that ended without a result.
    package init(_ state: TaskState) {
        if let result = state.result, state.status == .completed {
            self = .result(result)
        } else {
            let what = state.status == .failed ? "The task failed" : "The task was \(state.status.rawValue)"
            let message = state.message.map { $0.isEmpty ? what : "\(what): \($0)" } ?? what
            self = .error(state.error ?? ["code": -32603, "message": .string(message)])
        }
    }
}

extension Message {
    /// The result as a tree; nil for an error.
    package var resultTree: JSONValue? { result.flatMap { try? JSONValue(parsing: $0.range, of: bytes) } }
}

extension Reply {
    /// A result that is ours in part; what the client's era wants or must not have is added and left out as in an upstream's.
    package init(result: JSONValue, id: some Collection<UInt8>, era: Era, from server: JSONValue) {
        let bytes = Array(#"{"jsonrpc":"2.0","id":0,"result":"#.utf8) + result.bytes + Array("}".utf8)
        guard let message = try? Message(scanning: bytes, depthMax: .max) else {
            self.init(ProtocolError(.internalError, "The upstream's result has a member twice"), id: id)
            return
        }
        self.init(message, id: id, era: era, from: server)
    }

    /// A JSON-RPC error, an object, that is an upstream's.
    package init(error: JSONValue, id: some Collection<UInt8>) {
        let code = ErrorCode(rawValue: error["code"]?.integer ?? ErrorCode.internalError.rawValue)
        self.init(ProtocolError(code, error["message"]?.string ?? "no result", data: error["data"]), id: id)
    }
}
