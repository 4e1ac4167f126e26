import Auth
import Network
import Synchronization

/// Tells connected clients what has changed in their virtual server.
package final class ChangeFeed: Sendable {
    package enum Change: Sendable {
        case tools
        /// The gateway shuts down.
        case end
    }

    /// One client that listens; ends when it is closed.
    package final class Listener: Sendable {
        package let changes = Mailbox<Change>(capacity: 16)
        fileprivate let server: String
        fileprivate let caller: Caller
        fileprivate init(server: String, caller: Caller) {
            self.server = server
            self.caller = caller
        }
    }

    private let listeners = Mutex<[ObjectIdentifier: Listener]>([:])

    package init() {}

    package func listen(to server: String, as caller: Caller) -> Listener {
        let listener = Listener(server: server, caller: caller)
        listeners.withLock { $0[ObjectIdentifier(listener)] = listener }
        return listener
    }

    package func leave(_ listener: Listener) {
        listeners.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(listener)) }
        listener.changes.close()
    }

    /// A listener that is already behind loses nothing: it has a change of the same kind before it.
    package func publish(_ change: Change, to server: String, where concerns: (Caller) -> Bool = { _ in true }) {
        for listener in listeners.withLock({ Array($0.values) }) where listener.server == server && concerns(listener.caller) {
            _ = listener.changes.send(change)
        }
    }

    /// Says good-bye to everyone.
    package func end() {
        for listener in listeners.withLock({ Array($0.values) }) {
            _ = listener.changes.send(.end)
            listener.changes.close()
        }
    }
}
