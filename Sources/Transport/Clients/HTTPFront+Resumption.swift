import Auth
import MCPProtocol
import Network

extension HTTPFront {
    /// GET with `Last-Event-ID`: goes on with the stream of a call whose connection broke
    /// (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
    ///
    /// It belongs to its session, and that to its caller: for others it does not exist.
    func takeUp(_ event: String, of session: Session, _ exchange: HTTPExchange, _ visit: Visit) async {
        guard let (stream, number) = streams.find(event, in: session) else {
            return exchange.respondText(400, "this stream can't be taken up any more", fields: visit.fields)
        }
        let news = stream.takeUp()
        let ticket = access.enter(visit.caller, .stream) { news.close() }
        defer { access.leave(ticket) }
        exchange.onPeerGone = { news.close() }
        exchange.startStream(
            200, contentType: "text/event-stream", fields: visit.fields + [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")])
        var last = number
        while !exchange.isPeerGone {
            let more = stream.events(after: last)
            for event in more.events { try? await exchange.send(event) }
            last = more.last
            if more.isFinished { return exchange.finish() }
            switch await news.next(within: settings.heartbeat) {
            case .element: continue
            case .timedOut: try? await exchange.send(SSE.comment())
            case .closed: return exchange.finish()
            }
        }
    }
}

/// The ids of events on a session's own stream, so that its client comes back with the last one; none where there is no session.
struct EventIDs {
    private let stream: String?
    private let isPrimed: Bool
    private var number = 0

    init(for session: Session?) {
        let isResumable = session.map { $0.revision >= .v2025_03_26 } ?? false
        stream = isResumable ? (try? Seal.random(12)).map { "g" + Base64.encodeURL($0) } : nil
        isPrimed = session.map { $0.revision >= .v2025_11_25 } ?? false
    }

    /// An event without a message, with which the stream begins (since 2025-11-25): where to take it up, and after how many milliseconds.
    var priming: [UInt8]? { isPrimed ? stream.map { SSE.frame(data: [], id: "\($0).0", retry: Self.retry) } : nil }
    static let retry = 1_000

    mutating func next() -> String? {
        number += 1
        return stream.map { "\($0).\(number)" }
    }
}
