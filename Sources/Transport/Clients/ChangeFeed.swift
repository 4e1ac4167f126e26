import Auth
import JSON
import MCPProtocol
import Network
import Synchronization

/// Tells connected clients what has changed in their virtual server.
package final class ChangeFeed: Sendable {
    package enum Change: Hashable, Sendable {
        case tools, prompts, resources
        /// A resource that the client watches, or a part of it.
        case updated(String)
        /// A resource that the client was told that it hears of, and of which it hears no more.
        case lost(String)
        /// What an upstream or a task says to this client alone: a notification and its `params`, an object.
        case said(MCPProtocol.Method, JSONValue)
        /// A request to a legacy client, or what takes it back: a JSON-RPC message.
        case asked([UInt8])
        /// The gateway shuts down.
        case end

        /// What it keeps of an upstream's own words.
        fileprivate var bytes: Int {
            switch self {
            case .said(_, let params): params.bytes.count
            case .asked(let message): message.count
            case .tools, .prompts, .resources, .updated, .lost, .end: 0
            }
        }

        /// What clients are told where those lists are others.
        package static func of(_ lists: Set<ListKind>) -> [Change] {
            var changes: [Change] = []
            if lists.contains(.tools) { changes.append(.tools) }
            if lists.contains(.prompts) { changes.append(.prompts) }
            if lists.contains(.resources) || lists.contains(.templates) { changes.append(.resources) }
            return changes
        }
    }

    /// One client that listens; ends when it is closed.
    package final class Listener: Sendable {
        package let changes = ChangeQueue()
        package let server: String
        package let caller: Caller
        fileprivate let client: SessionClient?
        fileprivate let watches: ResourceWatches
        fileprivate init(server: String, caller: Caller, client: SessionClient?, watches: ResourceWatches) {
            self.server = server
            self.caller = caller
            self.client = client
            self.watches = watches
        }

        /// Asks the session's client; what is returned tells it that nobody waits for the answer any more.
        package func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) -> @Sendable () -> Void {
            guard let client else {
                answer(.refusal(.nobodyToAsk(question.method.rawValue)))
                return {}
            }
            return client.ask(question, through: changes, answer: answer)
        }
    }

    private static let waitingMax = 1_000

    private struct State {
        var listeners: [ObjectIdentifier: Listener] = [:]
        /// Who wait for another one.
        var waiting: [Mailbox<Bool>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// `client` is the legacy one whose session's stream it is; `watches` are the resources of which the client hears, now and as they change.
    package func listen(
        to server: String, as caller: Caller, in client: SessionClient? = nil, watching watches: ResourceWatches = ResourceWatches()
    ) -> Listener {
        let listener = Listener(server: server, caller: caller, client: client, watches: watches)
        let waiting = state.withLock { state in
            state.listeners[ObjectIdentifier(listener)] = listener
            defer { state.waiting = [] }
            return state.waiting
        }
        for mailbox in waiting { mailbox.send(true) }
        return listener
    }

    package func leave(_ listener: Listener) {
        state.withLock { _ = $0.listeners.removeValue(forKey: ObjectIdentifier(listener)) }
        listener.changes.close()
    }

    package func publish(_ changes: [Change], to server: String, where concerns: (Caller) -> Bool = { _ in true }) {
        for listener in all where listener.server == server && concerns(listener.caller) {
            for change in changes { listener.changes.send(change) }
        }
    }

    /// Tells those who watch it, or what it is a part of, that a resource of that source has changed.
    package func publishUpdate(
        of uri: String, from source: any ResourceSource, where concerns: (_ server: String, Caller) -> Bool
    ) {
        let wholes = ResourceWatch.wholes(of: uri)
        for listener in all where listener.watches.covers(wholes, from: source) && concerns(listener.server, listener.caller) {
            listener.changes.send(.updated(uri))
        }
    }

    /// Tells those who watch it that a resource of that source can't be watched any more.
    package func publishLoss(of uri: String, at source: any ResourceSource) {
        for listener in all where listener.watches.lose(uri, at: source) { listener.changes.send(.lost(uri)) }
    }

    /// Tells that session alone, if it listens.
    package func tell(_ change: Change, to session: String, where concerns: (_ server: String, Caller) -> Bool = { _, _ in true }) {
        for listener in all where listener.client?.session == session && concerns(listener.server, listener.caller) { listener.changes.send(change) }
    }

    /// The legacy clients that listen and are as wanted.
    package func clients(where isWanted: (Listener, SessionClient) -> Bool) -> [Listener] {
        all.filter { listener in listener.client.map { isWanted(listener, $0) } ?? false }
    }

    /// Hears when the next one begins to listen; closed where too many wait for that.
    package func arrival() -> Mailbox<Bool> {
        let mailbox = Mailbox<Bool>(capacity: 1)
        let waits = state.withLock { state in
            guard state.waiting.count < Self.waitingMax else { return false }
            state.waiting.append(mailbox)
            return true
        }
        if !waits { mailbox.close() }
        return mailbox
    }

    /// Says good-bye to everyone.
    package func end() {
        for listener in all {
            listener.changes.send(.end)
            listener.changes.close()
        }
    }

    private var all: [Listener] { state.withLock { Array($0.listeners.values) } }
}

/// What one listener has yet to be told; the same change is queued once, so that one who is behind loses nothing.
package final class ChangeQueue: Sendable {
    /// Of what upstreams say and ask: those are as long as they like.
    private static let bytesMax = 1 << 20

    private struct State {
        var queued: Set<ChangeFeed.Change> = []
        var bytes = 0
    }

    private let mailbox = Mailbox<ChangeFeed.Change>(capacity: 2 * ResourceWatches.countMax + 16)
    private let state = Mutex(State())

    /// False where too much waits already.
    @discardableResult
    func send(_ change: ChangeFeed.Change) -> Bool {
        state.withLock { state in
            guard !state.queued.contains(change) else { return true }
            guard state.bytes < Self.bytesMax || change.bytes == 0, mailbox.send(change) else { return false }
            state.queued.insert(change)
            state.bytes += change.bytes
            return true
        }
    }

    /// All that a client may have missed that did not listen: changes of those lists, and of the resources it watches.
    func send(_ lists: [ChangeFeed.Change], updatesOf watches: ResourceWatches) {
        for change in lists + watches.uris.map({ .updated($0) }) { send(change) }
    }

    package func close() { mailbox.close() }

    package func next() async -> ChangeFeed.Change? { taken(await mailbox.next()) }

    package func next(within limit: Duration) async -> Mailbox<ChangeFeed.Change>.Received {
        let received = await mailbox.next(within: limit)
        if case .element(let change) = received { _ = taken(change) }
        return received
    }

    private func taken(_ change: ChangeFeed.Change?) -> ChangeFeed.Change? {
        if let change {
            state.withLock { state in
                if state.queued.remove(change) != nil { state.bytes -= change.bytes }
            }
        }
        return change
    }
}
