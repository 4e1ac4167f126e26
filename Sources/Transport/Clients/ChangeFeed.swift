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
        /// What an upstream or a task says to this client alone: a notification and its `params`, an object.
        case said(MCPProtocol.Method, JSONValue)
        /// The gateway shuts down.
        case end

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
        fileprivate let server: String
        fileprivate let caller: Caller
        fileprivate let session: String?
        fileprivate let watches: ResourceWatches
        fileprivate init(server: String, caller: Caller, session: String?, watches: ResourceWatches) {
            self.server = server
            self.caller = caller
            self.session = session
            self.watches = watches
        }
    }

    private let listeners = Mutex<[ObjectIdentifier: Listener]>([:])

    package init() {}

    /// `session` is the key of the session whose stream it is; `watches` are the resources of which the client hears, now and as they change.
    package func listen(
        to server: String, as caller: Caller, in session: String? = nil, watching watches: ResourceWatches = ResourceWatches()
    ) -> Listener {
        let listener = Listener(server: server, caller: caller, session: session, watches: watches)
        listeners.withLock { $0[ObjectIdentifier(listener)] = listener }
        return listener
    }

    package func leave(_ listener: Listener) {
        listeners.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(listener)) }
        listener.changes.close()
    }

    package func publish(_ changes: [Change], to server: String, where concerns: (Caller) -> Bool = { _ in true }) {
        for listener in all where listener.server == server && concerns(listener.caller) {
            for change in changes { listener.changes.send(change) }
        }
    }

    /// Tells those who watch it, or what it is a part of, that a resource of that source has changed.
    package func publishUpdate(of uri: String, from source: AnyObject, where concerns: (_ server: String, Caller) -> Bool) {
        let source = ObjectIdentifier(source)
        for listener in all where listener.watches.covers(uri, from: source) && concerns(listener.server, listener.caller) {
            listener.changes.send(.updated(uri))
        }
    }

    /// Tells that session alone, if it listens.
    package func tell(_ change: Change, to session: String, where concerns: (_ server: String, Caller) -> Bool = { _, _ in true }) {
        for listener in all where listener.session == session && concerns(listener.server, listener.caller) { listener.changes.send(change) }
    }

    /// Says good-bye to everyone.
    package func end() {
        for listener in all {
            listener.changes.send(.end)
            listener.changes.close()
        }
    }

    private var all: [Listener] { listeners.withLock { Array($0.values) } }
}

/// What one listener has yet to be told; the same change is queued once, so that one who is behind loses nothing.
package final class ChangeQueue: Sendable {
    private let mailbox = Mailbox<ChangeFeed.Change>(capacity: ResourceWatches.countMax + 16)
    private let queued = Mutex<Set<ChangeFeed.Change>>([])

    func send(_ change: ChangeFeed.Change) {
        queued.withLock { queued in
            guard queued.insert(change).inserted else { return }
            if !mailbox.send(change) { queued.remove(change) }
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
        if let change { queued.withLock { _ = $0.remove(change) } }
        return change
    }
}
