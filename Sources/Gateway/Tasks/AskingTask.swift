import JSON
import MCPProtocol
import Network
import Synchronization
import Transport

/// A legacy upstream's task that asks, for a modern client that looks at it now and then: the request for its result stays open meanwhile, since
/// that is where such an upstream asks (MCP 2025-11-25 basic/utilities/tasks, "Input Required Status").
final class AskingTask: Sendable {
    /// How long the first question may take to come, and those that are asked with it.
    private static let askTime = Duration.seconds(2)
    private static let gatherTime = Duration.milliseconds(100)

    private struct State {
        var hasAsked = false
        var isOver = false
        var waiting: [Mailbox<Bool>] = []
    }

    let result: ParkedCall
    private let state = Mutex(State())

    /// `keeps` says, whenever something is asked, whether there is room for it; `onEnd` is called once, when nothing will be asked any more.
    init(_ result: ParkedCall, of abilities: ClientAbilities, keeps: @escaping @Sendable () -> Bool, onEnd: @escaping @Sendable () -> Void) {
        self.result = result
        EventLoop.current?.task { [self] in
            loop: while let event = await result.next(within: nil) {
                switch event {
                case .interjection(.question(let asked)):
                    if !abilities.isSuperset(of: ClientAbilities(neededFor: asked.question)) || !keeps() { result.refuse(asked) }
                case .interjection: continue
                case .ended, .dropped: break loop
                }
                tell(isOver: false)
            }
            onEnd()
            tell(isOver: true)
        }
    }

    /// What waits for answers; waits a little for what has yet to be asked.
    func questions() async -> [Question] {
        let mailbox = Mailbox<Bool>(capacity: 1)
        let patience = state.withLock { state -> Duration? in
            guard result.open.isEmpty, !state.isOver else { return nil }
            state.waiting.append(mailbox)
            return state.hasAsked ? Self.gatherTime : Self.askTime
        }
        if let patience, case .element = await mailbox.next(within: patience) { try? await EventLoop.current?.sleep(for: Self.gatherTime) }
        return result.open
    }

    /// Passes on what the client has answered; what was asked besides stays open.
    func answer(with responses: JSONValue) { result.answer(with: responses) }

    private func tell(isOver: Bool) {
        let waiting = state.withLock { state in
            state.hasAsked = true
            state.isOver = isOver
            defer { state.waiting = [] }
            return state.waiting
        }
        for mailbox in waiting { _ = mailbox.send(true) }
    }
}
