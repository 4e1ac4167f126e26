import JSON
import MCPProtocol

/// An open way to an upstream, its era negotiated. Any loop may use it.
package protocol UpstreamLink: AnyObject, Sendable {
    var peer: UpstreamPeer { get }

    /// Sends one request and returns its response, a result or an error. What belongs to it and comes before is handed on as it
    /// comes; the upstream is held back meanwhile where its transport allows that. The call's clock stands still while questions wait.
    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message

    /// Sends one notification, if that can be done.
    func notify(_ bytes: [UInt8]) async

    /// Hears of changes of these resources from now on, as far as the upstream agrees; only where it is a modern one.
    func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream

    /// Ends it; nothing of it is left when this returns.
    func close() async
}

extension UpstreamLink {
    /// The same for a request of the gateway's own, in which there is nobody to be asked.
    package func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onNotification: (Message) async -> Void
    ) async throws(UpstreamError) -> Message {
        try await exchange(request, within: limit, cancellation: cancellation) { interjection in
            switch interjection {
            case .notification(let notification): await onNotification(notification)
            case .question(let asked): asked.reply(.refusal(.cannotBeAsked(asked.question.method.rawValue)))
            case .withdrawal: break
            }
        }
    }
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
    /// For the answers to its questions, which neither of the others counts.
    package var answer: Duration

    package init(idle: Duration, total: Duration, answer: Duration = .seconds(600)) {
        self.idle = idle
        self.total = max(idle, total)
        self.answer = answer
    }
}

/// Measures a call against its limit.
struct CallClock {
    /// How often is looked whether questions have been answered.
    private static let look = Duration.seconds(1)

    private let limit: CallLimit
    private var start: ContinuousClock.Instant
    private var lastSign: ContinuousClock.Instant
    /// Since when answers are awaited.
    private var stopped: ContinuousClock.Instant?

    init(_ limit: CallLimit, at now: ContinuousClock.Instant = .now) {
        self.limit = limit
        start = now
        lastSign = now
    }

    /// Counts the idle time anew.
    mutating func sawProgress(at now: ContinuousClock.Instant = .now) { lastSign = now }

    /// Stands still as long as the upstream waits for answers, and then counts the idle time anew.
    mutating func stand(still isWaiting: Bool, at now: ContinuousClock.Instant = .now) {
        if isWaiting {
            stopped = stopped ?? now
        } else if let since = stopped {
            stopped = nil
            start += now - since
            lastSign = now
        }
    }

    /// Whether the answers have been awaited for too long.
    func isAnswerOverdue(at now: ContinuousClock.Instant = .now) -> Bool { stopped.map { now - $0 >= limit.answer } ?? false }

    /// How long a call may take with all that it may wait for.
    var longest: Duration { limit.total + limit.answer }

    /// How long to wait for the next message; zero or less when time is up.
    var remaining: Duration { remaining(at: .now) }

    func remaining(at now: ContinuousClock.Instant) -> Duration {
        stopped.map { min(Self.look, $0 + limit.answer - now) } ?? min(lastSign + limit.idle - now, start + limit.total - now)
    }
}

/// What a link tells its owner outside of calls.
package enum LinkEvent: Sendable {
    case listsChanged(Set<ListKind>)
    /// A resource that was subscribed to has changed, or a part of one.
    case resourceUpdated(String)
    /// A notification of something that began in an earlier call.
    case told(Matter, Message)
    /// A question of no call, which must be answered.
    case asked(AskedQuestion)
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
        default:
            guard let matter = Matter(notification) else { return nil }
            self = .told(matter, notification)
        }
    }
}
