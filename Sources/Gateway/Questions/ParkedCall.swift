import Auth
import JSON
import MCPProtocol
import Network
import Synchronization
import Transport

/// A call that goes on at a legacy upstream while its modern client is away to answer what the upstream asked.
///
/// The client's calls that stand for it one after another attend it, one at a time.
final class ParkedCall: Sendable {
    enum Event: Sendable {
        case interjection(Interjection)
        case ended(Result<Message, UpstreamError>)
        /// It was answered while its client was away, with more than there was room for.
        case dropped
    }

    /// Whether so many bytes may be kept while the client is away.
    typealias Room = @Sendable (_ bytes: Int) -> Bool

    /// Notifications that may wait for the client that attends; while none does they are dropped.
    private static let notificationsMax = 1_000

    private struct State {
        var open: [AskedQuestion] = []
        /// Events that have yet to be taken.
        var waiting = 0
        /// Asked for what comes while nobody attends; nil while somebody does.
        var room: Room?
    }

    let owner: CallerIdentity
    private let cancellation = Cancellation()
    private let events = Mailbox<Event>(capacity: ParkedCall.notificationsMax + 100)
    private let state = Mutex(State())

    /// Makes the call on this loop, in a task of its own.
    init(_ request: UpstreamRequest, at upstream: Upstream, permit: Permit) {
        owner = permit.caller.identity
        EventLoop.current?.task { [self] in
            let end: Result<Message, UpstreamError>
            do throws(UpstreamError) {
                end = .success(try await upstream.call(request, permit: permit, cancellation: cancellation) { self.put($0) })
            } catch {
                end = .failure(error)
            }
            put(end)
        }
    }

    /// What it waits for.
    var open: [Question] { state.withLock { $0.open.map(\.question) } }

    /// The next thing that happens; nil when the time is over.
    func next(within time: Duration?) async -> Event? {
        let received: Mailbox<Event>.Received
        if let time { received = await events.next(within: time) } else { received = await events.next().map { .element($0) } ?? .closed }
        guard case .element(let event) = received else { return nil }
        state.withLock { state in
            state.waiting -= 1
            switch event {
            case .interjection(.question(let asked)): state.open.append(asked)
            case .interjection(.withdrawal(let key)): state.open.removeAll { $0.question.key == key }
            case .interjection(.notification), .ended, .dropped: break
            }
        }
        return event
    }

    /// Passes on what the client has answered; the rest stays open.
    func answer(with responses: JSONValue) {
        let answered = state.withLock { state in
            let answered = state.open.compactMap { asked in
                Answer(responses[asked.question.key], to: asked.question).map { (asked, $0) }
            }
            state.open.removeAll { asked in answered.contains { $0.0.question.key == asked.question.key } }
            return answered
        }
        for (asked, answer) in answered { asked.reply(answer) }
    }

    /// Answers what the client can't be asked.
    func refuse(_ asked: AskedQuestion) {
        state.withLock { state in state.open.removeAll { $0.question.key == asked.question.key } }
        asked.reply(.refusal(.cannotBeAsked(asked.question.method.rawValue)))
    }

    func attend() { state.withLock { $0.room = nil } }

    /// From now on there must be room for what comes; false where something has come already that nobody took.
    func leave(asking room: @escaping Room) -> Bool {
        state.withLock { state in
            guard state.waiting == 0 else { return false }
            state.room = room
            return true
        }
    }

    /// Ends it: the upstream hears of it, and its questions are answered with errors.
    func cancel() { cancellation.cancel() }

    /// The same, and waits a moment until the upstream has heard of it.
    func end() async {
        cancel()
        while let event = await next(within: .seconds(1)) {
            if case .ended = event { return }
            if case .dropped = event { return }
        }
    }

    private func put(_ end: Result<Message, UpstreamError>) {
        let room = state.withLock { state in
            state.waiting += 1
            return state.room
        }
        if let room, case .success(let response) = end, !room(response.bytes.count) { events.send(.dropped) } else { events.send(.ended(end)) }
    }

    private func put(_ interjection: Interjection) {
        let (isWanted, room) = state.withLock { state -> (Bool, Room?) in
            if case .notification = interjection, state.room != nil || state.waiting >= Self.notificationsMax { return (false, nil) }
            state.waiting += 1
            return (true, state.room)
        }
        guard isWanted else { return }
        guard case .question(let asked) = interjection else {
            if !events.send(.interjection(interjection)) { state.withLock { $0.waiting -= 1 } }
            return
        }
        guard room?(asked.question.request.bytes.count) != false, events.send(.interjection(interjection)) else {
            state.withLock { $0.waiting -= 1 }
            return asked.reply(.refusal(ProtocolError(.internalError, "too much waits already")))
        }
    }
}
