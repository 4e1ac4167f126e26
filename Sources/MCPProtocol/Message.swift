import JSON

/// One JSON-RPC message: the bytes as they came, and where the parts lie that the gateway looks at.
///
/// All of the text has been validated. What is not named here stays as it is and travels on unchanged. An object, for it is large and passes
/// through many hands.
package final class Message: Sendable {
    package enum Kind: Sendable { case request, notification, result, error }

    package let bytes: [UInt8]
    package let kind: Kind
    /// A string or an integer; nil for notifications and for errors that belong to no request.
    package let id: JSONExtent?
    /// nil for responses, and for methods that the gateway doesn't know.
    package let method: Method?
    package let methodName: JSONText?
    package let params: Params
    /// The `result` of a response, an object.
    package let result: Result?
    /// The `error` of a response, an object.
    package let error: JSONExtent?

    init(
        bytes: [UInt8], kind: Kind, id: JSONExtent?, method: Method?, methodName: JSONText?, params: Params, result: Result?, error: JSONExtent?
    ) {
        self.bytes = bytes
        self.kind = kind
        self.id = id
        self.method = method
        self.methodName = methodName
        self.params = params
        self.result = result
        self.error = error
    }

    package func text(_ text: JSONText) -> String { reading { text.string(in: $0) } }
    package func text(_ text: JSONText?) -> String? { text.map { self.text($0) } }
    /// Whether a text is that word.
    func says(_ word: StaticString, _ text: JSONText) -> Bool { reading { text.isEqual(word, in: $0) } }
    private func reading<Value>(_ body: (Span<UInt8>) -> Value) -> Value {
        let bytes = bytes
        return body(bytes.span)
    }
    package func slice(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }
    package func value(_ extent: JSONExtent) -> JSONValue { (try? JSONValue(parsing: extent.range, of: bytes)) ?? .null }
    /// The id as it is spelt, for use as a key; `1` and `"1"` differ.
    package var idText: String? { id.map { String(decoding: bytes[$0.range], as: UTF8.self) } }
    /// Whether an error response has what JSON-RPC 2.0 §5.1 asks for.
    package var isWellFormedError: Bool {
        guard let error = error.map(value) else { return false }
        return error["code"]?.integer != nil && error["message"]?.string != nil
    }
    /// The code of an error response.
    package var errorCode: ErrorCode? { error.flatMap { value($0)["code"]?.integer }.map(ErrorCode.init(rawValue:)) }
    /// What the `Mcp-Name` header of a request mirrors.
    package var mirroredName: JSONText? { method?.isOfTask == true ? params.taskID : method == .readResource ? params.uri : params.name }
    /// The method's name, known or not.
    package var methodText: String { methodName.map(text) ?? "" }
}

extension Message {
    /// `params`: those members that requests and notifications share.
    package struct Params: Sendable {
        /// Of the whole object; nil where there is none.
        package var range: Range<Int>?
        package var name: JSONText?
        package var uri: JSONText?
        /// `taskId` of a request or notification about a task; stands among the others too.
        package var taskID: JSONText?
        /// `task` of a call that shall become one (MCP 2025-11-25 basic/utilities/tasks, "Task Parameters").
        package var task: JSONExtent?
        package var cursor: JSONText?
        /// Some clients ask for the first page so.
        var isCursorNull = false
        package var arguments: JSONExtent?
        package var meta: Meta?
        /// `requestId` of a cancellation.
        package var requestID: JSONExtent?
        /// `progressToken` of a progress notification.
        package var progressToken: JSONExtent?
        /// `level` of a log message or of `logging/setLevel`.
        package var level: JSONText?
        package var protocolVersion: JSONText?
        package var capabilities: JSONExtent?
        package var clientInfo: JSONExtent?
        /// The filter of `subscriptions/listen`.
        package var notifications: JSONExtent?
        /// What a retry brings back (MCP 2026-07-28 basic/patterns/mrtr).
        package var requestState: JSONText?
        package var inputResponses: JSONExtent?
        /// Members that this type does not name, key and value, as they stand.
        package var others: [Range<Int>] = []
        /// What is wrong with the form of a member, where something is; answered with −32602.
        package var defect: String?
    }

    /// `params._meta`.
    package struct Meta: Sendable {
        package var protocolVersion: JSONText?
        package var clientInfo: JSONExtent?
        package var clientCapabilities: JSONExtent?
        package var logLevel: JSONText?
        package var progressToken: JSONExtent?
        /// Members that this type does not name, key and value, as they stand.
        package var others: [Range<Int>] = []
    }

    /// `result`: the members that the bridge between the eras looks at.
    package struct Result: Sendable {
        package var range: Range<Int>
        package var isEmpty = true
        package var resultType: JSONText?
        package var meta: JSONExtent?
        package var isMetaEmpty = true
        package var hasServerInfo = false
        package var ttlMs: JSONExtent?
        package var cacheScope: JSONExtent?
        /// The members that make a result of some method whole: a tool's, a prompt's, a resource's, and that of a call that became a task.
        var content = Form.missing
        var hasStructuredContent = false
        /// Whether there is nothing but a tool's structured content. Libraries of the field let that pass, though no schema does: clients get an
        /// empty `content` with it.
        package var lacksContent: Bool { hasStructuredContent && content == .missing }
        var messages = Form.missing
        var contents = Form.missing
        var task = Form.missing
        var isError = Form.missing
        package var completion: JSONExtent?
        /// The members that only 2026-07-28 has, or has in this form, each with the comma and white space before it.
        package var modernMembers: [Range<Int>] = []

        /// Those of them that are about caching.
        package var hintMembers: [Range<Int>] {
            let places = [ttlMs?.range.lowerBound, cacheScope?.range.lowerBound].compactMap(\.self)
            return modernMembers.filter { member in places.contains(where: member.contains) }
        }

        /// Whether a member is there, and has the form that every revision gives it.
        enum Form: UInt8, Sendable { case missing, sound, unsound }

        /// Whether it is a task in the place of a result (io.modelcontextprotocol/tasks, "Polymorphic Results").
        package func isTask(in message: Message) -> Bool { resultType.map { message.says("task", $0) } ?? false }

        /// Whether the upstream wants more from the client before it answers.
        package func isInputRequired(in message: Message) -> Bool { resultType.map { message.says("input_required", $0) } ?? false }
    }
}
