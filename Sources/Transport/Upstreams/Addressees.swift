import JSON
import MCPProtocol
import Synchronization

/// Something of which an upstream may speak outside of the call that it began in, by the upstream's own id.
package enum Matter: Hashable, Sendable {
    /// A task (MCP 2025-11-25 basic/utilities/tasks, "Task Status Notification").
    case task(String)
    /// What a person does behind a link (MCP 2025-11-25 client/elicitation, "Completion Notifications for URL Mode Elicitation").
    case link(String)

    /// Longer ids are nobody's.
    private static let idBytesMax = 1_024

    /// What a notification is about; nil for one that is about nothing of this kind.
    init?(_ notification: Message) {
        let id: String?
        switch notification.method {
        case .taskStatus: id = notification.text(notification.params.taskID)
        case .elicitationCompleted: id = (try? notification.paramsTree())?["elicitationId"]?.string
        default: return nil
        }
        guard let id, id.utf8.count <= Self.idBytesMax else { return nil }
        self = notification.method == .taskStatus ? .task(id) : .link(id)
    }
}

/// Who is told of a matter.
package struct Addressee: Hashable, Sendable {
    /// The key of a legacy client's session.
    package let session: String
    /// What that client knows the matter by.
    package let id: String

    package init(session: String, id: String) {
        self.session = session
        self.id = id
    }
}

/// Who is told what an upstream says of tasks and links outside of calls: the latest of them, so that their number is bounded.
final class Addressees: Sendable {
    private static let mattersMax = 1_000
    private static let ofMatterMax = 8

    private struct State {
        var known: [Matter: Set<Addressee>] = [:]
        /// In the order in which they became known.
        var order: [Matter] = []
    }

    private let state = Mutex(State())

    func add(_ addressee: Addressee, of matter: Matter) {
        state.withLock { state in
            if state.known[matter] == nil {
                if state.order.count >= Self.mattersMax {
                    for old in state.order.prefix(Self.mattersMax / 10) { state.known[old] = nil }
                    state.order.removeFirst(Self.mattersMax / 10)
                }
                state.order.append(matter)
            }
            guard state.known[matter]?.count ?? 0 < Self.ofMatterMax else { return }
            state.known[matter, default: []].insert(addressee)
        }
    }

    subscript(matter: Matter) -> [Addressee] { state.withLock { Array($0.known[matter] ?? []) } }

    /// The ids are the next process's now.
    func removeAll() { state.withLock { $0 = State() } }
}
