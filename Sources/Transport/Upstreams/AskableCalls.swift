import MCPProtocol
import Synchronization

/// The calls in flight on one link whose clients can be asked, of which a question that names none must belong to one.
struct AskableCalls {
    /// By request id, whose call it is; nil where nobody else's calls are answered in the same place.
    private var clients: [Int: String?] = [:]

    var isEmpty: Bool { clients.isEmpty }
    /// Whether there are several.
    var isAmbiguous: Bool { clients.count > 1 }

    mutating func insert(_ id: Int, of client: String?) { clients[id] = .some(client) }
    mutating func remove(_ id: Int) -> Bool { clients.removeValue(forKey: id) != nil }

    /// The only one, or the last where all are one client's; nil where that can't be told.
    var asked: Int? {
        guard let (call, client) = clients.max(by: { $0.key < $1.key }) else { return nil }
        return clients.count == 1 || client != nil && clients.values.allSatisfy { $0 == client } ? call : nil
    }
}

/// Questions, and what belongs to them, that came to a call by another way than its own stream, as those of servers that ask on the session's stream.
final class QuestionInbox: Sendable {
    private struct State {
        var requests: [Message] = []
        /// Ends the wait for the next message on the call's own stream.
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func put(_ request: Message) {
        let wake = state.withLock { state in
            state.requests.append(request)
            return state.wake
        }
        wake?()
    }

    func take() -> Message? { state.withLock { $0.requests.isEmpty ? nil : $0.requests.removeFirst() } }

    func whenPut(_ wake: (@Sendable () -> Void)?) { state.withLock { $0.wake = wake } }
}
