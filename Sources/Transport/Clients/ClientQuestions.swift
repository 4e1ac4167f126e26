import Auth
import JSON
import MCPProtocol
import Synchronization

/// What legacy clients have been asked and have not answered yet, found again by the id that we gave the request.
///
/// Each client has its own name here and answers only what it was asked itself.
package final class ClientQuestions: Sendable {
    /// Open at once, of one client and in all.
    private static let openOfClientMax = 64
    private static let openMax = 100_000

    private struct State {
        var count = 0
        var open = 0
        var clients: [String: [String: @Sendable (Answer) -> Void]] = [:]
    }

    /// So that an answer to a question from before a restart answers none of ours.
    private let prefix = (try? Seal.random(6)).map { Base64.encodeURL($0) } ?? "q"
    private let state = Mutex(State())

    package init() {}

    /// The id under which the client is to be asked; nil when it has been asked too much already.
    func open(for client: String, answer: @escaping @Sendable (Answer) -> Void) -> String? {
        state.withLock { state in
            guard state.clients[client]?.count ?? 0 < Self.openOfClientMax, state.open < Self.openMax else { return nil }
            state.count += 1
            state.open += 1
            let id = "\(prefix)-\(state.count)"
            state.clients[client, default: [:]][id] = answer
            return id
        }
    }

    /// Takes a client's response; one to nothing that it was asked is ignored.
    func take(_ response: Message, from client: String) {
        guard let id = response.id, id.kind == .string, let text = response.value(id).string else { return }
        remove(text, of: client)?(Answer(response))
    }

    /// False when it has been answered.
    @discardableResult
    func withdraw(_ id: String, of client: String) -> Bool { remove(id, of: client) != nil }

    /// The client has gone: nothing will be answered.
    func forget(_ client: String) {
        let answers = state.withLock { state in
            let answers = state.clients.removeValue(forKey: client) ?? [:]
            state.open -= answers.count
            return answers
        }
        for answer in answers.values { answer(.refusal(ProtocolError(.internalError, "the client has gone"))) }
    }

    private func remove(_ id: String, of client: String) -> (@Sendable (Answer) -> Void)? {
        state.withLock { state in
            guard let answer = state.clients[client]?.removeValue(forKey: id) else { return nil }
            state.open -= 1
            if state.clients[client]?.isEmpty == true { state.clients[client] = nil }
            return answer
        }
    }
}

/// The questions of one call to a legacy client.
struct CallQuestions {
    private let questions: ClientQuestions
    private let client: String
    /// Our ids by the questions' keys.
    private var ids: [String: String] = [:]

    init(_ questions: ClientQuestions, client: String) {
        self.questions = questions
        self.client = client
    }

    /// The request to send; nil where the client has been asked too much already.
    mutating func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) -> [UInt8]? {
        guard let id = questions.open(for: client, answer: answer) else {
            return nil
        }
        ids[question.key] = id
        return question.bytes(id: id)
    }

    /// The notifications to send (MCP 2025-11-25 basic/utilities/cancellation).
    mutating func withdraw(_ key: String?) -> [[UInt8]] {
        let gone = key.map { key in ids[key].map { [key: $0] } ?? [:] } ?? ids
        for key in gone.keys { ids[key] = nil }
        return gone.values.filter { questions.withdraw($0, of: client) }.map { .cancellation(of: $0) }
    }
}
