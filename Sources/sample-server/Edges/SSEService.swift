import Network

/// The server behind HTTP+SSE of 2024-11-05: `GET /sse` opens the stream, `POST /messages?session=…` sends into it.
final class SSEService: Sendable {
    private static let queuedMessagesMax = 1000

    private let server: SampleServer
    private let sessions = Sessions()

    init(_ server: SampleServer) { self.server = server }

    func handle(_ exchange: HTTPExchange) async {
        guard LocalOnly.admits(exchange.request.headers) else { return exchange.respond(403, contentType: nil) }
        switch (exchange.request.method, exchange.request.path) {
        case (.get, "/sse"): await stream(exchange)
        case (.post, "/messages"): post(exchange)
        case (_, "/sse"), (_, "/messages"): exchange.respond(405, contentType: nil)
        default: exchange.respond(404, contentType: nil)
        }
    }

    private func stream(_ exchange: HTTPExchange) async {
        guard let loop = EventLoop.current else { return }
        let outbox = Mailbox<[UInt8]>(capacity: Self.queuedMessagesMax)
        let conversation = Conversation(server, on: loop) { message in
            // A client that reads nothing any more loses its stream.
            if !outbox.send(message) { outbox.close() }
        }
        let session = Session(id: Sessions.newID(), conversation: conversation)
        guard sessions.add(session) else { return exchange.respond(503, contentType: nil) }
        exchange.onPeerGone = { outbox.close() }
        exchange.startStream(200, contentType: SSE.contentType, fields: [("Cache-Control", "no-store")])
        do throws(NetworkError) {
            try await exchange.send(SSE.frame(data: Array("/messages?session=\(session.id)".utf8), event: "endpoint"))
            while let message = await outbox.next() { try await exchange.send(SSE.frame(data: message, event: "message")) }
        } catch {
            // The client has gone.
        }
        exchange.finish()
        conversation.end()
        _ = sessions.remove(session.id)
    }

    private func post(_ exchange: HTTPExchange) {
        guard let query = exchange.request.query, query.hasPrefix("session="), let session = sessions[String(query.dropFirst(8))] else {
            return exchange.respond(404, contentType: nil)
        }
        exchange.respond(202, contentType: nil)
        session.conversation?.receive(exchange.request.body)
    }
}
