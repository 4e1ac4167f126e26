import Network

/// The server behind streamable HTTP, `/mcp`, in whichever eras it speaks.
final class HTTPService: Sendable {
    private let server: SampleServer
    private let bearer: BearerCheck
    private let sessions = Sessions()

    init(_ server: SampleServer, bearer: BearerCheck) {
        self.server = server
        self.bearer = bearer
    }

    func handle(_ exchange: HTTPExchange) async {
        guard LocalOnly.admits(exchange.request.headers) else { return exchange.respond(403, contentType: nil) }
        guard exchange.request.path == "/mcp" else { return exchange.respond(404, contentType: nil) }
        guard bearer.admits(exchange) else { return }
        switch exchange.request.method {
        case .post: await post(exchange)
        case .delete where server.eras.speaksLegacy: end(exchange)
        default: exchange.respond(405, contentType: nil, fields: [("Allow", server.eras.speaksLegacy ? "POST, DELETE" : "POST")])
        }
    }

    private func post(_ exchange: HTTPExchange) async {
        var message: Incoming?
        do throws(Fault) {
            if exchange.request.body.first == UInt8(ascii: "["), let batch = try Batch.messages(in: exchange.request.body) {
                return try answer(batch, exchange)
            }
            let incoming = try Incoming(exchange.request.body)
            message = incoming
            if isModern(incoming, exchange.request.headers) {
                try await answerModern(incoming, exchange)
            } else {
                try await answerLegacy(incoming, exchange)
            }
        } catch {
            exchange.respond(error.status, contentType: "application/json", body: Reply.fault(error, to: message))
        }
    }

    private func isModern(_ message: Incoming, _ headers: HTTPHeaders) -> Bool {
        guard server.eras.speaksModern else { return false }
        if !server.eras.speaksLegacy || message.isModern { return true }
        return headers["mcp-protocol-version"].map { !Revision.legacy.contains($0) } ?? false
    }

    // MARK: Modern

    private func answerModern(_ message: Incoming, _ exchange: HTTPExchange) async throws(Fault) {
        guard message.isRequest else { return exchange.respond(message.method.isEmpty ? 400 : 202, contentType: nil) }
        if message.method == "initialize" || message.isModern && message.metaVersion != Revision.modern {
            try ModernCheck.body(of: message, supported: server.eras.revisions)
        }
        try ModernCheck.fields(exchange.request.headers, mirror: message, of: server)
        try ModernCheck.body(of: message, supported: server.eras.revisions)
        // The client cancels by hanging up.
        await answer(message, .modern, exchange, running: nil)
    }

    // MARK: Legacy

    private func answerLegacy(_ message: Incoming, _ exchange: HTTPExchange) async throws(Fault) {
        try checkRevision(exchange.request.headers)
        if message.method == "initialize", message.isRequest {
            let session = Session(id: Sessions.newID())
            guard sessions.add(session) else { return exchange.respond(503, contentType: nil) }
            guard case .result(let result) = server.answer(message, .legacy) else { return }
            return exchange.respond(
                200, contentType: "application/json", fields: [("Mcp-Session-Id", session.id)], body: Reply.result(result, to: message))
        }
        guard let session = try session(exchange) else { return exchange.respond(404, contentType: nil) }
        if message.method == "notifications/cancelled", let id = message.cancelledID { session.running.cancel(message.text(id)) }
        guard message.isRequest else { return exchange.respond(202, contentType: nil) }
        await answer(message, .legacy, exchange, running: session.running)
    }

    /// Batches are answered without waiting: slow tools are refused in them.
    private func answer(_ batch: [[UInt8]], _ exchange: HTTPExchange) throws(Fault) {
        guard server.eras.speaksLegacy else { throw .invalidRequest("This server takes one message at a time.") }
        try checkRevision(exchange.request.headers)
        guard try session(exchange) != nil else { return exchange.respond(404, contentType: nil) }
        var answers: [[UInt8]] = []
        for part in batch {
            let message = try Incoming(part)
            guard message.isRequest else { continue }
            switch server.answer(message, .legacy) {
            case .result(let result): answers.append(Reply.result(result, to: message))
            case .fault(let fault): answers.append(Reply.fault(fault, to: message))
            case .slow: answers.append(Reply.fault(.invalidRequest("This tool cannot be called in a batch."), to: message))
            }
        }
        guard !answers.isEmpty else { return exchange.respond(202, contentType: nil) }
        exchange.respond(200, contentType: "application/json", body: Batch.joined(answers))
    }

    private func end(_ exchange: HTTPExchange) {
        guard let session = exchange.request.headers["mcp-session-id"].flatMap(sessions.remove) else {
            return exchange.respond(404, contentType: nil)
        }
        session.running.cancelAll()
        exchange.respond(204, contentType: nil)
    }

    private func checkRevision(_ headers: HTTPHeaders) throws(Fault) {
        let revision = headers["mcp-protocol-version"] ?? Revision.assumed
        guard Revision.legacy.contains(revision) else { throw .invalidRequest("This server speaks \(Revision.legacy.joined(separator: ", ")).") }
    }

    /// Nil for a session that is not, or no longer, known.
    private func session(_ exchange: HTTPExchange) throws(Fault) -> Session? {
        guard let id = exchange.request.headers["mcp-session-id"] else {
            throw .invalidRequest("Mcp-Session-Id is missing; send “initialize” first.")
        }
        return sessions[id]
    }

    // MARK: Both

    private func answer(_ message: Incoming, _ era: Era, _ exchange: HTTPExchange, running: RunningCalls?) async {
        switch server.answer(message, era) {
        case .result(let result):
            exchange.respond(200, contentType: "application/json", body: Reply.result(result, to: message))
        case .fault(let fault):
            exchange.respond(fault.status, contentType: "application/json", body: Reply.fault(fault, to: message))
        case .slow(let tool, let arguments):
            await SlowAnswer(server, message, era, exchange).run(tool, arguments, running: running)
        }
    }
}

/// Keeps web pages out that make a browser send to this machine (DNS rebinding).
enum LocalOnly {
    private static let hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// Whether `Origin`, where there is one, and `Host` name this machine.
    static func admits(_ headers: HTTPHeaders) -> Bool {
        guard headers.isEqual("host", "localhost") || isLocal(headers["host"]) else { return false }
        guard let origin = headers["origin"] else { return true }
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && (parts[0] == "http:" || parts[0] == "https:") && parts[1].isEmpty && isLocal(String(parts[2]))
    }

    private static func isLocal(_ authority: String?) -> Bool {
        guard let authority else { return false }
        if hosts.contains(authority) { return true }
        guard let colon = authority.lastIndex(of: ":") else { return false }
        return hosts.contains(String(authority[..<colon]))
    }
}
