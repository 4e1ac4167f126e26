/// One request and the answer that is due to it; of the connection's loop, for the time of the handler's call.
///
/// Answer once: with `respond`, or with `startStream`, any number of `send`, and `finish`. A handler that returns without an answer answers
/// 500; one that returns from an unfinished stream breaks the connection, so that the client doesn't take a part for the whole.
package final class HTTPExchange {
    private enum State {
        case waiting, streaming(isChunked: Bool), finished
    }

    /// The request.
    package let request: HTTPRequest
    /// Called once, on the loop, when the client has hung up before the answer was complete.
    package var onPeerGone: (() -> Void)?
    /// Whether an answer has been begun; after that its status is settled.
    package private(set) var hasStarted = false

    private let owner: HTTPServerConnection
    private let isVersion11: Bool
    private var state = State.waiting
    /// Whether the connection may serve another request after this one.
    private(set) var keepsAlive: Bool

    init(_ request: HTTPRequest, isVersion11: Bool, keepsAlive: Bool, of owner: HTTPServerConnection) {
        self.request = request
        self.isVersion11 = isVersion11
        self.keepsAlive = keepsAlive
        self.owner = owner
    }

    /// The loop that all of this happens on.
    package var loop: EventLoop { owner.connection.loop }

    /// Whether the client has hung up.
    package var isPeerGone: Bool { owner.isPeerGone }

    /// Whether the answer is complete.
    package var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Answers with a whole body; a second answer is ignored.
    ///
    /// Content-Length, Transfer-Encoding and Connection in `fields` are left out. Unlisted statuses are sent as 500.
    package func respond(_ status: Int, contentType: StaticString?, fields: [(String, String)] = [], body: [UInt8] = []) {
        guard case .waiting = state else { return }
        state = .finished
        hasStarted = true
        keepsAlive = keepsAlive && !owner.isDraining
        let hasNoBody = status == 204 || status == 304
        let head = HTTPReplyHead(
            status: status, isVersion11: isVersion11, keepsAlive: keepsAlive, framing: hasNoBody ? .none : .length(body.count))
        let sendsBody = !hasNoBody && request.method != .head && !body.isEmpty
        guard sendsBody else { return owner.connection.write(head.bytes(contentType: contentType, fields: fields)) }
        owner.connection.write(head.bytes(contentType: contentType, fields: fields), body)
    }

    /// Begins an answer of unknown length; a second answer is ignored.
    ///
    /// Sent in chunks; to HTTP/1.0 clients until the end of the connection.
    package func startStream(_ status: Int, contentType: StaticString, fields: [(String, String)] = []) {
        guard case .waiting = state else { return }
        state = .streaming(isChunked: isVersion11)
        hasStarted = true
        keepsAlive = keepsAlive && isVersion11 && !owner.isDraining
        let head = HTTPReplyHead(
            status: status, isVersion11: isVersion11, keepsAlive: keepsAlive, framing: isVersion11 ? .chunked : .untilClose)
        owner.connection.write(head.bytes(contentType: contentType, fields: fields))
    }

    /// Sends more of a stream; waits while more than `queuedBytesMax` is queued for a slow reader.
    ///
    /// Throws `.closed` when the client has hung up or the stream is finished, `.timedOut` when it reads nothing for too long.
    package func send(_ bytes: [UInt8]) async throws(NetworkError) {
        guard case .streaming(let isChunked) = state, !isPeerGone else { throw NetworkError(.closed, "the client has hung up") }
        guard !bytes.isEmpty, request.method != .head else { return }
        if isChunked {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(bytes.count + 20)
            HTTPReplyHead.append(chunkSize: bytes.count, to: &chunk)
            chunk.append(contentsOf: bytes)
            HTTPReplyHead.append("\r\n", to: &chunk)
            owner.connection.write(chunk)
        } else {
            owner.connection.write(bytes)
        }
        try await owner.waitForReader()
    }

    /// Ends the stream; harmless when there is none.
    package func finish() {
        guard case .streaming(let isChunked) = state else { return }
        state = .finished
        guard isChunked, request.method != .head, !owner.connection.isClosed else { return }
        owner.connection.write([48, ASCII.cr, ASCII.lf, ASCII.cr, ASCII.lf])
    }

    /// Breaks the connection off, so that the client notices that the answer is not whole.
    package func abort() {
        if !isFinished { owner.connection.abort() }
    }

    func peerWentAway() {
        guard !isFinished, let tell = onPeerGone else { return }
        onPeerGone = nil
        tell()
    }

    /// Settles what the handler left open.
    func conclude() {
        onPeerGone = nil
        switch state {
        case .waiting: respond(500, contentType: "text/plain", body: Array("The request was not answered.\n".utf8))
        case .streaming: abort()
        case .finished: break
        }
    }
}
