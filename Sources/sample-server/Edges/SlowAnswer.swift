import Network

/// The answer to a call that takes its time: an event stream with its progress where the client wants that, else one JSON text.
final class SlowAnswer {
    private let server: SampleServer
    private let message: Incoming
    private let era: Era
    private let exchange: HTTPExchange

    init(_ server: SampleServer, _ message: Incoming, _ era: Era, _ exchange: HTTPExchange) {
        self.server = server
        self.message = message
        self.era = era
        self.exchange = exchange
    }

    /// Legacy calls are cancelled through `running`, modern ones by the client's hanging up.
    func run(_ tool: Tool, _ arguments: Arguments, running: RunningCalls?) async {
        guard let loop = EventLoop.current else { return }
        let isStream = message.progressToken != nil && exchange.request.headers.contains("accept", token: "text/event-stream")
        if isStream { exchange.startStream(200, contentType: SSE.contentType, fields: [("X-Accel-Buffering", "no"), ("Cache-Control", "no-store")]) }
        let id = message.idText
        let work = loop.spawn(with: self) { await $0.answer(tool, arguments, id, isStream: isStream, running: running) }
        running?.begin(id, work)
        if era == .modern { exchange.onPeerGone = { work.cancel() } }
        await work.value
        // A cancelled call gets no answer; the stream just ends, and what is no stream needs some status.
        if isStream { exchange.finish() } else if !exchange.hasStarted { exchange.respond(202, contentType: nil) }
    }

    private func answer(_ tool: Tool, _ arguments: Arguments, _ id: String, isStream: Bool, running: RunningCalls?) async {
        let result = await server.finish(tool, arguments, era) { progress in
            if isStream, !Task.isCancelled, let bytes = Reply.progress(progress, of: message) { await send(bytes) }
        }
        guard !Task.isCancelled, running?.end(id) ?? true else { return }
        let reply = Reply.result(result, to: message)
        if isStream { await send(reply) } else { exchange.respond(200, contentType: "application/json", body: reply) }
    }

    private func send(_ bytes: [UInt8]) async {
        // The client may have gone; then nobody misses it.
        try? await exchange.send(SSE.frame(data: bytes))
    }
}
