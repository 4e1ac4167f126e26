import JSON
import MCPProtocol

/// An open way to an upstream, its era negotiated. Any loop may use it.
package protocol UpstreamLink: AnyObject, Sendable {
    var peer: UpstreamPeer { get }

    /// Sends one request and returns its response, a result or an error. Notifications that belong to it are handed on as they
    /// come; the upstream is held back meanwhile where its transport allows that.
    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onNotification: (Message) async -> Void
    ) async throws(UpstreamError) -> Message

    /// Hears of changes of these resources from now on, and of no others; only where the upstream is a modern one.
    func listen(to resources: [String]) async throws(UpstreamError)

    /// Ends it; nothing of it is left when this returns.
    func close() async
}

/// What an upstream said of itself when the link was opened.
package struct UpstreamPeer: Sendable {
    package let revision: Revision
    package let transport: String
    package let capabilities: JSONValue
    package let serverInfo: JSONValue?
    package let instructions: String?

    package var era: Era { revision.era }
}

/// How long a call may take: `idle` without a sign of life, `total` in all (MCP 2026-07-28 basic/patterns/cancellation, "Timeouts").
package struct CallLimit: Sendable {
    package var idle: Duration
    package var total: Duration

    package init(idle: Duration, total: Duration) {
        self.idle = idle
        self.total = max(idle, total)
    }
}

/// Measures a call against its limit.
struct CallClock {
    private let limit: CallLimit
    private let start: ContinuousClock.Instant
    private var lastSign: ContinuousClock.Instant

    init(_ limit: CallLimit, at now: ContinuousClock.Instant = .now) {
        self.limit = limit
        start = now
        lastSign = now
    }

    /// Counts the idle time anew.
    mutating func sawProgress(at now: ContinuousClock.Instant = .now) { lastSign = now }

    /// What is left; zero or less when time is up.
    var remaining: Duration { remaining(at: .now) }

    func remaining(at now: ContinuousClock.Instant) -> Duration { min(lastSign + limit.idle - now, start + limit.total - now) }
}

/// What a link tells its owner outside of calls.
package enum LinkEvent: Sendable {
    case listsChanged(Set<ListKind>)
    /// A resource that was subscribed to has changed, or a part of one.
    case resourceUpdated(String)
    /// It goes on with another session, which knows of no subscription.
    case renewed
    case lost(String)

    static let allListsChanged = LinkEvent.listsChanged(Set(ListKind.allCases))

    /// What a notification says that belongs to no call; nil for those that say nothing of this kind.
    init?(_ notification: Message) {
        switch notification.method {
        case .toolsChanged: self = .listsChanged([.tools])
        case .promptsChanged: self = .listsChanged([.prompts])
        case .resourcesChanged: self = .listsChanged([.resources, .templates])
        case .resourceUpdated:
            guard let uri = notification.text(notification.params.uri), uri.utf8.count <= ItemDefinition.nameBytesMax else { return nil }
            self = .resourceUpdated(uri)
        default: return nil
        }
    }
}
