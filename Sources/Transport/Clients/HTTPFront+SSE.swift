import Auth
import JSON
import MCPProtocol
import Network
import Synchronization

/// The clients that are connected by HTTP+SSE, found by the id in the address that they post to.
final class SSEClients: Sendable {
    struct Connected: Sendable {
        let server: String
        let client: DuplexClient
        /// Whose stream it is: nobody else may post to it.
        let owner: CallerIdentity
        let ticket: OpenAccess.Ticket
    }

    private let clients = Mutex<[String: Connected]>([:])

    func add(_ client: Connected, id: String) { clients.withLock { $0[id] = client } }
    func remove(_ id: String) { clients.withLock { _ = $0.removeValue(forKey: id) } }
    subscript(id: String) -> Connected? { clients.withLock { $0[id] } }
}

/// The HTTP+SSE transport (MCP 2024-11-05 basic/transports, "HTTP with SSE").
extension HTTPFront {
    /// GET: opens the stream, names the address to post to, then carries every message for the client.
    func serveSSE(_ exchange: HTTPExchange, _ visit: Visit, name: String?) async {
        let fields = visit.fields
        guard let random = try? Seal.random(18) else { return exchange.respondText(500, "no session could be made", fields: fields) }
        let id = Base64.encodeURL(random)
        let outgoing = Outbox(bytesMax: settings.queuedBytesMax)
        let client = DuplexClient(
            service: service, server: visit.server, caller: visit.caller, speaksModern: false, session: id, jsonDepthMax: settings.jsonDepthMax,
            send: { outgoing.send($0) })
        let ticket = access.enter(visit.caller, .stream) { outgoing.close() }
        sse.add(SSEClients.Connected(server: visit.server, client: client, owner: visit.caller.identity, ticket: ticket), id: id)
        defer {
            access.leave(ticket)
            sse.remove(id)
            client.close()
            outgoing.close()
        }
        // Whoever takes nothing and asks for more would otherwise keep all of it in memory until the connection's time is over.
        exchange.loop.spawn(with: exchange) { if await outgoing.overflowed() { $0.abort() } }
        exchange.onPeerGone = { outgoing.close() }
        exchange.startStream(
            200, contentType: "text/event-stream", fields: fields + [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")])
        let address = (name.map { "/\($0)" } ?? "") + "/messages?session_id=\(id)"
        try? await exchange.send(SSE.frame(data: Array(address.utf8), event: "endpoint"))
        while !exchange.isPeerGone {
            switch await outgoing.next(within: settings.heartbeat) {
            case .timedOut: try? await exchange.send(SSE.comment())
            case .element(let bytes): try? await exchange.send(SSE.frame(data: bytes, event: "message"))
            case .closed: return exchange.finish()
            }
        }
    }

    /// POST: one message from the client; its answer comes on the stream.
    func takeSSEMessage(_ exchange: HTTPExchange, _ visit: Visit) {
        let fields = visit.fields
        let id = exchange.request.query?.split(separator: "&").first { $0.hasPrefix("session_id=") }?.dropFirst("session_id=".utf8.count)
        guard let id else { return exchange.respondText(400, "session_id is missing", fields: fields) }
        guard let connected = sse[String(id)], connected.server == visit.server, connected.owner == visit.caller.identity else {
            return exchange.respondText(404, "there is no such session", fields: fields)
        }
        exchange.respondText(202, "Accepted", fields: fields)
        access.renew(connected.ticket, as: visit.caller)
        connected.client.receive(exchange.request.body, from: visit.caller)
    }
}
