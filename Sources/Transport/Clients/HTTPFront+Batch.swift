import Auth
import JSON
import MCPProtocol
import Network

extension HTTPFront {
    /// JSON-RPC batches, which only 2025-03-26 has; each member is answered as if it had come alone.
    func handleBatch(_ exchange: HTTPExchange, _ channel: HTTPReplyChannel, _ visit: Visit, header: String?) async {
        let fields = visit.fields
        func refuse(_ status: Int, _ error: ProtocolError) {
            exchange.respond(status, contentType: "application/json", fields: fields, body: Reply(error, id: [], isIDKnown: false).bytes)
        }
        let sessionID = exchange.request.headers["mcp-session-id"]
        let session = sessionID.flatMap { sessions.session($0, server: visit.server, caller: visit.caller) }
        if sessionID != nil, session == nil { return refuse(404, ProtocolError(.invalidRequest, "Session not found")) }
        let revision = session?.revision ?? header.flatMap(Revision.init) ?? .v2025_03_26
        guard revision <= .v2025_03_26 else {
            return refuse(400, ProtocolError(.invalidRequest, "Invalid request: revision \(revision.rawValue) has no batches"))
        }
        let parts: [[UInt8]]
        do {
            parts = try LegacyHandshake.members(ofBatch: exchange.request.body, depthMax: settings.jsonDepthMax)
        } catch {
            return refuse(400, ProtocolError(.parse, "Parse error: \(error)"))
        }
        guard !parts.isEmpty, parts.count <= LegacyHandshake.batchLengthMax else {
            return refuse(400, ProtocolError(.invalidRequest, "Invalid request: a batch has 1 to \(LegacyHandshake.batchLengthMax) members"))
        }
        channel.keepAlive()
        if let session {
            channel.makeResumable(in: streams, for: session)
            channel.mayAsk(session.key, by: sessions.questions)
        }
        var replies: [[UInt8]] = []
        for part in parts {
            do {
                let message = try Message(scanning: part, depthMax: settings.jsonDepthMax)
                if message.method == .cancelled, let session, let request = message.params.requestID {
                    sessions.cancel(callWith: String(decoding: message.bytes[request.range], as: UTF8.self), of: session)
                }
                if message.method == .rootsChanged, let session { service.rootsChanged(for: call(message, of: session, visit)) }
                if let session, message.kind == .result || message.kind == .error { sessions.questions.take(message, from: session.key) }
                guard message.kind == .request, let id = message.id.map({ message.bytes[$0.range] }) else { continue }
                switch message.method {
                case .ping: replies.append(Reply(result: [], id: id, era: .legacy).bytes)
                case .setLogLevel: replies.append(setLogLevel(message, id: id, session: session).bytes)
                case .initialize: replies.append(Reply(ProtocolError(.invalidRequest, "Invalid request: `initialize` in a batch"), id: id).bytes)
                default:
                    let reply = await answer(message, revision: revision, session: session, visit, to: channel)
                    if let reply { replies.append(reply.bytes) }
                }
            } catch {
                replies.append(Reply(error.error, id: error.id ?? [], isIDKnown: error.id != nil).bytes)
            }
        }
        if answerLostAccess(exchange, visit) { return channel.close() }
        guard !replies.isEmpty || exchange.hasStarted else {
            channel.close()
            return exchange.respond(202, contentType: nil, fields: fields)
        }
        guard !replies.isEmpty else { return channel.abandon() }
        let body = [UInt8(ascii: "[")] + replies.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        await channel.finish(body, status: 200)
    }
}
