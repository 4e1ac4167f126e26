import Synchronization

/// The responses to one batch on a shared channel, sent together when the last is there (JSON-RPC 2.0 §6).
final class BatchReplies: Sendable {
    private struct State {
        var missing: Int
        var replies: [[UInt8]] = []
    }

    private let state: Mutex<State>
    private let send: @Sendable ([UInt8]) -> Bool

    /// `count` responses are to come; each is `add`ed once.
    init(count: Int, send: @escaping @Sendable ([UInt8]) -> Bool) {
        state = Mutex(State(missing: count))
        self.send = send
    }

    /// Takes a response; nil where a request is answered with silence.
    func add(_ reply: [UInt8]?) {
        let replies = state.withLock { state -> [[UInt8]]? in
            if let reply { state.replies.append(reply) }
            state.missing -= 1
            return state.missing == 0 && !state.replies.isEmpty ? state.replies : nil
        }
        guard let replies else { return }
        _ = send([UInt8(ascii: "[")] + replies.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")])
    }
}
