import Auth
import JSON
import MCPProtocol
import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HTTPFront {
    /// A message of 2025-03-26 to 2025-11-25 (MCP 2025-11-25 basic/transports). A client without a session id is served as one that knows
    /// no sessions.
    func handleLegacy(
        _ message: Message, _ exchange: HTTPExchange, _ channel: HTTPReplyChannel, _ visit: Visit, header: String?
    ) async {
        let fields = visit.fields
        if message.method == .initialize, message.kind == .request {
            return await begin(message, exchange, visit)
        }
        var session: Session?
        if let id = exchange.request.headers["mcp-session-id"] {
            session = sessions.session(id, server: visit.server, caller: visit.caller)
            guard session != nil else {
                let error = ProtocolError(.invalidRequest, "Session not found: start a new one with `initialize`")
                let reply = Reply(error, id: message.id.map { message.bytes[$0.range] } ?? [], isIDKnown: message.id != nil)
                return exchange.respond(404, contentType: "application/json", fields: fields, body: reply.bytes)
            }
        }
        guard message.kind == .request, let id = message.id.map({ message.bytes[$0.range] }) else {
            if message.method == .cancelled, let session, let request = message.params.requestID {
                sessions.cancel(callWith: String(decoding: message.bytes[request.range], as: UTF8.self), of: session)
            }
            if message.method == .rootsChanged, let session { service.rootsChanged(for: call(message, of: session, visit)) }
            if let session, message.kind == .result || message.kind == .error { sessions.questions.take(message, from: session.key) }
            return exchange.respond(202, contentType: nil, fields: fields)
        }
        let revision = session?.revision ?? header.flatMap(Revision.init) ?? .v2025_03_26
        switch message.method {
        case .ping:
            await channel.finish(Reply(result: [], id: id, era: .legacy).bytes, status: 200)
        case .setLogLevel:
            await channel.finish(setLogLevel(message, id: id, session: session).bytes, status: 200)
        default:
            if let session { channel.makeResumable(in: streams, for: session) }
            channel.keepAlive()
            if let session { channel.mayAsk(session.key, by: sessions.questions) }
            guard let reply = await answer(message, revision: revision, session: session, visit, to: channel) else {
                return answerLostAccess(exchange, visit) ? channel.close() : channel.abandon()
            }
            await channel.finish(reply.bytes, status: 200)
        }
    }

    /// What a session's client says that is no request.
    func call(_ message: Message, of session: Session, _ visit: Visit) -> Call {
        Call(
            server: visit.server, caller: visit.caller, message: message, revision: session.revision, clientCapabilities: session.capabilities,
            logLevel: nil, cancellation: Cancellation(), session: session.key)
    }

    func answer(
        _ message: Message, revision: Revision, session: Session?, _ visit: Visit, to channel: any ClientChannel
    ) async -> Reply? {
        let cancellation = Cancellation()
        let key = message.idText ?? ""
        if let session { sessions.add(cancellation, id: key, of: session) }
        defer { if let session { sessions.remove(callWith: key, of: session) } }
        let ticket = visit.caller.proof == .none ? nil : access.enter(visit.caller, .call) { cancellation.cancel() }
        defer { if let ticket { access.leave(ticket) } }
        let call = Call(
            server: visit.server, caller: visit.caller, message: message, revision: revision,
            clientCapabilities: session.flatMap { channel.canAsk ? $0.capabilities : nil } ?? Array("{}".utf8),
            logLevel: sessions.logLevel(of: session), cancellation: cancellation, session: session?.key)
        if message.method == .subscribe || message.method == .unsubscribe {
            return await service.changeWatches(session.map { watches.watches(of: $0.key) }, by: call)
        }
        return await service.answer(call, to: channel)
    }

    private func begin(_ message: Message, _ exchange: HTTPExchange, _ visit: Visit) async {
        let (server, fields) = (visit.server, visit.fields)
        let id = message.id.map { message.bytes[$0.range] } ?? []
        do {
            let revision = try LegacyHandshake.revision(for: message)
            let capabilities = message.params.capabilities.map(message.value) ?? [:]
            let session = try Session(
                server: server, caller: visit.caller, revision: revision, capabilities: capabilities,
                expires: time(nil) + Int(settings.sessionTime.components.seconds))
            await service.prepare(server, for: visit.caller, with: ClientAbilities(session.capabilities, of: revision))
            guard let description = service.describe(server) else { return exchange.respondUnknownServer(server) }
            let reply = description.initialized(revision, id: id)
            exchange.respond(
                200, contentType: "application/json", fields: fields + [("Mcp-Session-Id", try sessions.begin(session))], body: reply.bytes)
        } catch {
            let error = error as? ProtocolError ?? ProtocolError(.internalError, "no session could be made")
            exchange.respond(200, contentType: "application/json", fields: fields, body: Reply(error, id: id).bytes)
        }
    }

    func setLogLevel(_ message: Message, id: ArraySlice<UInt8>, session: Session?) -> Reply {
        guard let level = message.text(message.params.level).flatMap(LogLevel.init) else {
            return Reply(ProtocolError(.invalidParams, "Invalid params: `level` must be one of \(LogLevel.list)"), id: id)
        }
        if let session { sessions.set(level, for: session) }
        return Reply(result: [], id: id, era: .legacy)
    }

    /// GET: the session's own stream, for what belongs to no request.
    func serveLegacyStream(_ exchange: HTTPExchange, _ visit: Visit) async {
        let fields = visit.fields
        let accept = exchange.request.headers["accept"] ?? "*/*"
        let isKnown = exchange.request.headers["mcp-session-id"] != nil
        guard accept.contains("text/event-stream") || isKnown && accept.contains("*/*") else {
            let hint = "this is an MCP server: give this address to an MCP client (a GET here accepts text/event-stream)"
            return exchange.respondText(406, hint, fields: fields)
        }
        var session: Session?
        if let id = exchange.request.headers["mcp-session-id"] {
            session = sessions.session(id, server: visit.server, caller: visit.caller)
            guard session != nil else { return exchange.respondText(404, "session not found: start a new one with `initialize`", fields: fields) }
        }
        let last = exchange.request.headers["last-event-id"]
        if let session, let last, last.hasPrefix("c") { return await takeUp(last, of: session, exchange, visit) }
        let watches = session.map { self.watches.enter($0.key) } ?? ResourceWatches()
        defer { if let session { self.watches.leave(session.key) } }
        let client = session.map { session in
            SessionClient(
                session: session.key, abilities: ClientAbilities(session.capabilities, of: session.revision), questions: sessions.questions,
                name: session.key)
        }
        let listener = service.changes.listen(to: visit.server, as: visit.caller, in: client, watching: watches)
        defer { service.changes.leave(listener) }
        let ticket = access.enter(visit.caller, .stream) { listener.changes.close() }
        defer { access.leave(ticket) }
        if let session { sessions.replaceStream(of: session, with: listener) }
        defer { if let session { sessions.removeStream(of: session, listener) } }
        exchange.onPeerGone = { listener.changes.close() }
        exchange.startStream(
            200, contentType: "text/event-stream", fields: fields + [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")])
        try? await exchange.send(SSE.comment())
        var ids = EventIDs(for: session)
        if let priming = ids.priming { try? await exchange.send(priming) }
        // What changed while nobody listened is not known any more: all of it may have.
        if last != nil { listener.changes.send(service.describe(visit.server)?.listChanges ?? [], updatesOf: watches) }
        while !exchange.isPeerGone {
            switch await listener.changes.next(within: settings.heartbeat) {
            case .timedOut: try? await exchange.send(SSE.comment())
            case .element(.end), .closed: return exchange.finish()
            case .element(let change): if let bytes = change.legacyNotification { try? await exchange.send(SSE.frame(data: bytes, id: ids.next())) }
            }
        }
    }

    /// DELETE: the session ends.
    func endSession(_ exchange: HTTPExchange, _ visit: Visit) async {
        let fields = visit.fields
        guard let id = exchange.request.headers["mcp-session-id"] else {
            return exchange.respondText(400, "the header Mcp-Session-Id is missing", fields: fields)
        }
        guard let session = sessions.endable(id, server: visit.server, caller: visit.caller) else {
            return exchange.respondText(404, "session not found", fields: fields)
        }
        let isKept = await sessions.end(session)
        watches.end(session.key)
        service.sessionEnded(session.key)
        guard isKept else {
            let error = ProtocolError(.internalError, "The session has ended, but that can't be written down at present: send DELETE again")
            let reply = Reply(error, id: [], isIDKnown: false)
            return exchange.respond(503, contentType: "application/json", fields: fields + [("Retry-After", "1")], body: reply.bytes)
        }
        exchange.respond(200, contentType: nil, fields: fields)
    }
}

/// A client that can take no notifications.
package struct SilentChannel: ClientChannel {
    package init() {}
    package func notify(_ bytes: [UInt8]) async {}
}

/// The legacy handshake's rules, the same on every transport.
enum LegacyHandshake {
    static let batchLengthMax = 100

    /// The revision to serve: the one asked for where it is a legacy one of ours, else our latest legacy one.
    static func revision(for message: Message) throws(ProtocolError) -> Revision {
        if let defect = message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        guard let asked = message.text(message.params.protocolVersion) else {
            throw ProtocolError(.invalidParams, "Invalid params: `protocolVersion` is missing")
        }
        guard let revision = Revision(rawValue: asked), revision.era == .legacy else { return .latestLegacy }
        return revision
    }

    static func members(ofBatch bytes: [UInt8], depthMax: Int) throws(JSONError) -> [[UInt8]] {
        var scanner = JSONScanner(depthMax: depthMax)
        var parts: [[UInt8]] = []
        try scanner.beginArray(in: bytes.span)
        while try scanner.nextElement(in: bytes.span) { parts.append(Array(bytes[try scanner.skipValue(in: bytes.span).range])) }
        try scanner.end(in: bytes.span)
        return parts
    }
}
