import Synchronization

/// Whether changes of a resource are heard of.
package enum ResourceStanding: Sendable {
    case heard, refused
    /// The upstream has not answered yet.
    case waiting
}

/// Who tells of the changes of resources: an upstream as one credential reaches it.
package protocol ResourceSource: AnyObject, Sendable {
    func standing(of uri: String) -> ResourceStanding
    /// `settlement` is told when that is settled; false where it is already.
    func tell(_ settlement: Settlement, of uri: String) -> Bool
    /// A client is told that it hears of it: should the upstream refuse after all, that is news.
    func promise(_ uri: String)
}

/// A client's wish to hear of a resource's changes. It lasts for as long as somebody holds it.
package final class ResourceWatch: Sendable {
    package let uri: String
    private let hold: Mutex<ResourceHold>
    private let onEnd: @Sendable () -> Void

    /// `onEnd` is called once, when nobody holds the watch any more.
    package init(_ uri: String, by hold: ResourceHold, onEnd: @escaping @Sendable () -> Void = {}) {
        self.uri = uri
        self.hold = Mutex(hold)
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    /// Who tells of the changes: the upstream as the client's credential reaches it.
    var source: any ResourceSource { hold.withLock { $0.source } }

    package var standing: ResourceStanding { source.standing(of: uri) }

    /// The client is told that it hears of it.
    func promise() { source.promise(uri) }

    /// Goes on with another upstream, which has taken the place of the first.
    package func move(to next: ResourceHold) {
        // The last one may end with this, which takes other locks.
        let last = hold.withLock { hold in
            defer { hold = next }
            return hold
        }
        withExtendedLifetime(last) {}
    }

    /// The resources that a change of that URI concerns: itself, and what it is a part of
    /// (MCP 2026-07-28 schema, `ResourceUpdatedNotificationParams`).
    static func wholes(of changed: String) -> [String] {
        var wholes = [changed]
        for index in changed.utf8.indices where "/?#".utf8.contains(changed.utf8[index]) && wholes.count < wholesMax {
            wholes.append(String(changed[..<index]))
            wholes.append(String(changed[...index]))
        }
        return wholes
    }

    private static let wholesMax = 256

    /// Waits until the upstreams have answered for all of them, until `cancellation`, or for that time.
    static func settle(_ watches: [ResourceWatch], within time: Duration, cancellation: Cancellation) async {
        let settlement = Settlement(of: watches.count)
        for watch in watches where !watch.source.tell(settlement, of: watch.uri) { settlement.note() }
        cancellation.whenCancelled { settlement.abandon() }
        await settlement.wait(within: time)
        cancellation.whenCancelled(nil)
    }
}

/// Keeps an upstream subscribed to a resource while it exists.
package final class ResourceHold: Sendable {
    let source: any ResourceSource
    private let onEnd: @Sendable () -> Void

    /// `onEnd` is called once, at its end.
    init(at source: any ResourceSource, onEnd: @escaping @Sendable () -> Void = {}) {
        self.source = source
        self.onEnd = onEnd
    }

    deinit { onEnd() }
}
