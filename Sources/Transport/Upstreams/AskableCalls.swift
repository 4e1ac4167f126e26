import MCPProtocol
import Synchronization

/// The calls in flight on one link whose clients can be asked, of which a question that names none must belong to one.
struct AskableCalls {
    private struct Entry {
        let origin: UpstreamRequest.Origin
        /// Questions that were put to it and have not been answered.
        var open = 0
        /// When it was asked last, counted in questions.
        var asked = 0
        /// The links that its client was sent to.
        var links: Set<String> = []
    }

    private static let linksOfCallMax = 16

    /// By request id.
    private var entries: [Int: Entry] = [:]
    private var questions = 0
    /// What may ask besides them.
    var lingering = LingeringWork()

    var isEmpty: Bool { entries.isEmpty }
    /// Whether there are several.
    var isAmbiguous: Bool { entries.count > 1 }

    mutating func insert(_ id: Int, of origin: UpstreamRequest.Origin) { entries[id] = Entry(origin: origin) }
    mutating func remove(_ id: Int) -> Bool { entries.removeValue(forKey: id) != nil }

    mutating func wasAsked(_ id: Int, _ question: Message) {
        questions += 1
        entries[id]?.open += 1
        entries[id]?.asked = questions
        guard question.method == .elicit, entries[id]?.links.count ?? 0 < Self.linksOfCallMax else { return }
        if let link = (try? question.paramsTree())?["elicitationId"]?.string { entries[id]?.links.insert(link) }
    }

    /// The call whose client was sent to the link of which a notification says that its matter is done; nil where none runs any more
    /// (MCP 2025-11-25 client/elicitation, "Completion Notifications for URL Mode Elicitation").
    func call(of completion: Message) -> Int? {
        guard case .link(let link) = Matter(completion) else { return nil }
        return entries.first { $0.value.links.contains(link) }?.key
    }

    /// Whether that call waits for answers.
    func isWaiting(_ id: Int) -> Bool { (entries[id]?.open ?? 0) > 0 }

    mutating func wasAnswered(_ id: Int) { if let open = entries[id]?.open, open > 0 { entries[id]?.open = open - 1 } }

    /// The call that a question belongs to; nil where that can't be told.
    ///
    /// Of several calls, and of what lingers, it is only guessed where all are one caller's, so that no question reaches another person: it is the only one that does
    /// not wait for answers already, or the one that was asked last where all do, or the last of those where all are of one session.
    var asked: Int? {
        mutating get {
            guard let (id, first) = entries.first else { return nil }
            let origin = first.origin
            guard lingering.isOnly(origin.caller) else { return nil }
            guard entries.count > 1 else { return id }
            guard entries.values.allSatisfy({ $0.origin.caller == origin.caller }) else { return nil }
            let quiet = entries.filter { $0.value.open == 0 }.keys
            if quiet.isEmpty { return entries.max { $0.value.asked < $1.value.asked }?.key }
            if quiet.count == 1 { return quiet.first }
            return origin.session != nil && entries.values.allSatisfy { $0.origin.session == origin.session } ? quiet.max() : nil
        }
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
