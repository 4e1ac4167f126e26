import JSON
import MCPProtocol

/// A legacy client whose session has a stream of its own, on which it can be asked outside of its calls.
package struct SessionClient: Sendable {
    /// The session's key.
    package let session: String
    /// What it can be asked.
    package let abilities: ClientAbilities
    let questions: ClientQuestions
    /// Its name among those who are asked.
    let name: String

    /// Puts a question to the client; what is returned tells it that nobody waits for the answer any more.
    func ask(
        _ question: Question, through changes: ChangeQueue, answer: @escaping @Sendable (Answer) -> Void
    ) -> @Sendable () -> Void {
        guard let id = questions.open(for: name, answer: answer) else {
            answer(.refusal(ProtocolError(.internalError, "the client can't be asked")))
            return {}
        }
        guard changes.send(.asked(question.bytes(id: id))) else {
            if questions.withdraw(id, of: name) { answer(.refusal(ProtocolError(.internalError, "the client is too far behind to be asked"))) }
            return {}
        }
        return { [questions, name] in
            guard questions.withdraw(id, of: name) else { return }
            changes.send(.asked(.cancellation(of: id)))
        }
    }
}

extension [UInt8] {
    /// The notification that nobody waits for the answer to a request of ours any more (MCP 2025-11-25 basic/utilities/cancellation).
    static func cancellation(of id: String) -> [UInt8] {
        JSONValue.notification(
            MCPProtocol.Method.cancelled.rawValue, ["requestId": .string(id), "reason": "nobody waits for it any more"])
    }
}
