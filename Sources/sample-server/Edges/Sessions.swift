import Synchronization

/// A legacy client of an HTTP transport.
final class Session: Sendable {
    let id: String
    let running = RunningCalls()
    /// For HTTP+SSE.
    let conversation: Conversation?

    init(id: String, conversation: Conversation? = nil) {
        self.id = id
        self.conversation = conversation
    }
}

/// The open sessions, at most 100,000.
final class Sessions: Sendable {
    private static let countMax = 100_000

    private let open = Mutex<[String: Session]>([:])

    subscript(id: String) -> Session? { open.withLock { $0[id] } }

    /// 128 random bits: nobody else's session can be guessed.
    static func newID() -> String {
        var generator = SystemRandomNumberGenerator()
        return [generator.next(), generator.next()].map { (word: UInt64) in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }

    /// False when there are too many.
    func add(_ session: Session) -> Bool {
        open.withLock { open in
            guard open.count < Self.countMax else { return false }
            open[session.id] = session
            return true
        }
    }

    func remove(_ id: String) -> Session? { open.withLock { $0.removeValue(forKey: id) } }
}
