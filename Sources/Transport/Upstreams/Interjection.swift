import JSON
import MCPProtocol

/// What an upstream sends to a call before its response.
package enum Interjection: Sendable {
    case notification(Message)
    case question(AskedQuestion)
    /// It does not want the answer to that question any more.
    case withdrawal(key: String)
}

/// A question of an upstream that waits for its answer; only the first one counts.
package struct AskedQuestion: Sendable {
    package var question: Question
    package let reply: @Sendable (Answer) -> Void

    package init(_ question: Question, reply: @escaping @Sendable (Answer) -> Void) {
        self.question = question
        self.reply = reply
    }
}

extension ProtocolError {
    /// What is said to an upstream that asks what it may not.
    package static func cannotBeAsked(_ method: String) -> ProtocolError {
        ProtocolError(.methodNotFound, "Method not found: the client has not declared what `\(method.prefix(100))` needs")
    }

    /// What is said to an upstream that asks outside of calls where not exactly one client could be meant.
    package static func nobodyToAsk(_ method: String) -> ProtocolError {
        ProtocolError(.internalError, "`\(method.prefix(100))` came outside of a call, and there is not just one client that it could be meant for")
    }
}
