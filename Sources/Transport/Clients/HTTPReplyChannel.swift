import MCPProtocol
import Network

/// Answers one HTTP request with JSON, or, as soon as something comes before the response, with an event stream.
final class HTTPReplyChannel: ClientChannel {
    private let exchange: HTTPExchange
    private let fields: [(String, String)]
    private let acceptsStream: Bool
    private let acceptsJSON: Bool
    private let heartbeat: Duration
    /// Where the client may take up its stream: whose it is.
    private var resumption: (streams: CallStreams, session: Session)?
    private var stream: CallStream?
    private var timer: LoopTimer?
    private var questions: CallQuestions?
    private var isFinished = false

    init(_ exchange: HTTPExchange, fields: [(String, String)], heartbeat: Duration) {
        self.exchange = exchange
        self.fields = fields
        self.heartbeat = heartbeat
        let headers = exchange.request.headers
        acceptsStream = headers.mentions("accept", "text/event-stream")
        acceptsJSON =
            headers.mentions("accept", "application/json") || headers.mentions("accept", "*/*") || headers.mentions("accept", "application/*")
            || headers.count(of: "accept") == 0
    }

    /// Whether the client can read any answer of ours.
    var isAcceptable: Bool { acceptsStream || acceptsJSON }

    /// From now on a stream, should there be one, can be taken up where its connection broke.
    func makeResumable(in streams: CallStreams, for session: Session) {
        if session.revision >= .v2025_03_26 { resumption = (streams, session) }
    }

    /// From now on a quiet stream is kept alive.
    func keepAlive() {
        guard acceptsStream else { return }
        timer = exchange.loop.schedule(after: heartbeat) { [self] in
            exchange.loop.spawn(with: self) { await $0.beat() }
        }
    }

    /// Begins the stream at once, to be kept alive, where the client takes one: the client shall know that it is there.
    func openStream() async {
        guard acceptsStream, !isFinished else { return }
        await startStream()
        try? await exchange.send(SSE.comment())
        keepAlive()
    }

    func notify(_ bytes: [UInt8]) async {
        guard acceptsStream, !isFinished else { return }
        await startStream()
        await send(bytes)
    }

    /// From now on the client can be asked, if it takes a stream: it answers by messages of its own.
    func mayAsk(_ client: String, by questions: ClientQuestions) {
        if acceptsStream { self.questions = CallQuestions(questions, client: client) }
    }

    var canAsk: Bool { questions != nil }

    func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) async {
        // Where the connection broke, the client may come back for what it missed.
        guard !isFinished, !exchange.isPeerGone || stream != nil, let request = questions?.ask(question, answer: answer) else {
            return answer(.refusal(ProtocolError(.internalError, "the client can't be asked")))
        }
        await startStream()
        await send(request)
    }

    func withdraw(_ key: String?) async {
        for notification in questions?.withdraw(key) ?? [] { await notify(notification) }
    }

    /// Sends the response. `status` counts only when nothing was streamed before.
    func finish(_ bytes: [UInt8], status: Int) async {
        timer?.cancel()
        isFinished = true
        if !exchange.hasStarted, acceptsJSON {
            exchange.respond(status, contentType: "application/json", fields: fields, body: bytes)
        } else {
            await startStream(status)
            await send(bytes)
            endStream()
        }
    }

    /// Ends without a response: the request was cancelled.
    func abandon() {
        timer?.cancel()
        isFinished = true
        // A request is answered with JSON or a stream: an empty stream says nothing and is one.
        if acceptsStream { beginStream(200) }
        if exchange.hasStarted { endStream() } else { exchange.respond(202, contentType: nil, fields: fields) }
    }

    /// The request was answered in another way.
    func close() {
        timer?.cancel()
        isFinished = true
        if let stream { resumption?.streams.close(stream) }
    }

    private func beat() async {
        guard !isFinished, !exchange.isPeerGone else { return }
        await startStream()
        if stream?.isTakenUp != true { try? await exchange.send(SSE.comment()) }
        if !isFinished { keepAlive() }
    }

    private func startStream(_ status: Int = 200) async {
        guard !exchange.hasStarted else { return }
        beginStream(status)
        guard let resumption else { return }
        stream = resumption.streams.open(for: resumption.session)
        if let stream, stream.isPrimed { try? await exchange.send(stream.priming) }
    }

    private func beginStream(_ status: Int) {
        guard !exchange.hasStarted else { return }
        exchange.startStream(
            status, contentType: "text/event-stream", fields: fields + [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")])
    }

    private func send(_ message: [UInt8]) async {
        guard let stream else { return (try? await exchange.send(SSE.frame(data: message))) ?? () }
        if let event = stream.append(message) { try? await exchange.send(event) }
    }

    private func endStream() {
        if let stream { resumption?.streams.close(stream) }
        exchange.finish()
    }
}
