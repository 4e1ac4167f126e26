import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The HTTP door: finds the virtual server and the transport that a request means, after the checks that concern all of them.
package final class HTTPFront: Sendable {
    let service: any CallService
    let settings: HTTPFrontSettings
    let sessions: SessionTable
    let streams = CallStreams()
    let sse: SSEClients
    let watches = SessionWatches()
    let access = OpenAccess()
    /// Lines of the log about those who were not let in.
    private let refusals = Mutex(Pace(perSecond: 10))

    package init(service: any CallService, settings: HTTPFrontSettings, seal: Seal, ended: EndedSessions = EndedSessions()) {
        self.service = service
        self.settings = settings
        sessions = SessionTable(seal: seal, ended: ended)
        sse = SSEClients()
    }

    /// Puts a refusal into the log, unless too many were there this second.
    func tell(_ subject: String, _ refusal: String) {
        guard let more = refusals.withLock({ $0.admit(at: time(nil)) }) else { return }
        Log(subject).warning(more > 0 ? "\(refusal) (and \(more) more were refused)" : refusal)
    }

    /// Answers one request; returns when it has been answered.
    package func handle(_ exchange: HTTPExchange) async {
        let request = exchange.request
        let route = HTTPRoute(request.path)
        // Metadata is public: pages of any origin may read it.
        let refusal =
            switch route {
            // So are pages for people, who come from other sites; their forms prove whose they are.
            case .metadata, .signIn: settings.refusal(ofHost: request)
            default: settings.refusal(of: request)
            }
        if let refusal {
            tell("http", "refused \(request.method) \(request.path.prefix(100)): \(refusal)")
            exchange.respondText(403, refusal)
            return
        }
        if case .metadata(let path) = route { return answerMetadata(exchange, of: path) }
        if case .signIn(let path) = route { return await serveSignIn(exchange, path: path) }
        let fields = settings.corsFields(for: request)
        if request.method == .options, request.headers["access-control-request-method"] != nil {
            exchange.respond(204, contentType: nil, fields: fields)
            return
        }
        switch route {
        case .health:
            exchange.respondText(200, "ok")
        case .readiness:
            await answerReadiness(exchange)
        case .mcp(let name):
            guard let visit = await admit(exchange, at: .mcp(name), to: name, fields: fields) else { return }
            await handleMCP(exchange, visit)
        case .sse(let name):
            guard let visit = await admit(exchange, at: .sse(name), to: name, fields: fields) else { return }
            guard request.method == .get else { return exchange.respondText(405, "use GET here", fields: fields + [("Allow", "GET")]) }
            await serveSSE(exchange, visit, name: name)
        case .messages(let name):
            guard let visit = await admit(exchange, at: .messages(name), to: name, fields: fields) else { return }
            guard request.method == .post else { return exchange.respondText(405, "use POST here", fields: fields + [("Allow", "POST")]) }
            takeSSEMessage(exchange, visit)
        case .metadata, .signIn, nil:
            exchange.respondText(404, "there is nothing here; virtual servers are at /NAME/mcp", fields: fields)
        }
    }

    private func answerReadiness(_ exchange: HTTPExchange) async {
        var (isReady, report) = service.readiness()
        if await !mayKnowDetails(exchange.request) {
            report = ["status": report["status"] ?? "ready", "configuration": ["state": report["configuration"]?["state"] ?? .null]]
        }
        exchange.respond(isReady ? 200 : 503, contentType: "application/json", body: Array(report.pretty().utf8) + [0x0A])
    }

    private func handleMCP(_ exchange: HTTPExchange, _ visit: Visit) async {
        let request = exchange.request
        let fields = visit.fields
        // Two readers could take different ones.
        for name: StaticString in ["mcp-session-id", "mcp-protocol-version", "content-type", "content-encoding"] {
            guard request.headers.count(of: name) <= 1 else {
                return exchange.respondText(400, "the header \(name) stands there twice", fields: fields)
            }
        }
        let header = request.headers["mcp-protocol-version"]
        let isModernHeader = header.flatMap(Revision.init)?.era == .modern
        switch request.method {
        case .post:
            guard request.isJSON else {
                return exchange.respondText(415, "the body must be application/json, in UTF-8, not compressed", fields: fields)
            }
            await handlePost(exchange, visit, header: header)
        case .get where !isModernHeader:
            await serveLegacyStream(exchange, visit)
        case .delete where !isModernHeader:
            await endSession(exchange, visit)
        default:
            exchange.respondText(405, "use POST here", fields: fields + [("Allow", isModernHeader ? "POST" : "GET, POST, DELETE")])
        }
    }

    private func handlePost(_ exchange: HTTPExchange, _ visit: Visit, header: String?) async {
        let fields = visit.fields
        let channel = HTTPReplyChannel(exchange, fields: fields, heartbeat: settings.heartbeat)
        guard channel.isAcceptable else { return exchange.respondText(406, "accept application/json or text/event-stream", fields: fields) }
        if exchange.request.body.first(where: { $0 > 0x20 }) == UInt8(ascii: "["), header.flatMap(Revision.init)?.era != .modern {
            return await handleBatch(exchange, channel, visit, header: header)
        }
        let message: Message
        do {
            message = try Message(scanning: exchange.request.body, depthMax: settings.jsonDepthMax)
        } catch {
            let reply = Reply(error.error, id: error.id ?? [], isIDKnown: error.id != nil)
            return exchange.respond(400, contentType: "application/json", fields: fields, body: reply.bytes)
        }
        let hasSession = exchange.request.headers["mcp-session-id"] != nil
        let isKnownHeader = header.map { Revision(rawValue: $0) != nil } ?? true
        if ModernRequest.isMeant(by: message, header: header), isKnownHeader || !hasSession || message.params.meta?.protocolVersion != nil {
            await handleModern(message, exchange, channel, visit)
        } else if !isKnownHeader {
            let error = ProtocolError.unsupportedVersion(requested: header ?? "")
            let reply = Reply(error, id: message.id.map { message.bytes[$0.range] } ?? [], isIDKnown: message.id != nil)
            exchange.respond(400, contentType: "application/json", fields: fields, body: reply.bytes)
        } else {
            await handleLegacy(message, exchange, channel, visit, header: header)
        }
    }
}

extension HTTPRequest {
    /// Whether the body says that it is JSON as we read it, or says nothing.
    fileprivate var isJSON: Bool {
        guard headers.count(of: "content-encoding") == 0 || headers.isEqual("content-encoding", "identity") else { return false }
        if headers.count(of: "content-type") == 0 || headers.isEqual("content-type", "application/json") { return true }
        let parts = (headers["content-type"] ?? "").lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
        return parts.first == "application/json" && parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
    }
}

extension HTTPExchange {
    func respondText(_ status: Int, _ text: String, fields: [(String, String)] = []) {
        respond(status, contentType: "text/plain; charset=utf-8", fields: fields, body: Array((text + "\n").utf8))
    }

    func respondUnknownServer(_ name: String?, fields: [(String, String)] = []) {
        respondText(404, name == nil ? "say which virtual server: /NAME/mcp" : "there is no virtual server of that name", fields: fields)
    }
}
