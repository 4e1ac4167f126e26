import Diagnostics

/// One client's connection: reads a request, has it answered, and reads the next.
///
/// Bytes that arrive meanwhile stay in the connection's input, so pipelined requests are answered in order.
final class HTTPServerConnection {
    let connection: Connection
    /// Where the shard keeps this connection.
    var place = 0
    /// When the connection began to wait for a request; nil while one is served.
    private(set) var idleSince: ContinuousClock.Instant?
    private(set) var isPeerGone = false
    private var exchange: HTTPExchange?
    private var isWaitingForReader = false
    private var others: [UnsafeContinuation<Void, Never>] = []
    private let shard: HTTPServerShard
    /// Asked for once a request has come, when the handshake is over.
    private lazy var clientCertificate = connection.tls?.peerCertificate
    private var limits: HTTPLimits { shard.limits }

    init(_ connection: Connection, of shard: HTTPServerShard) {
        self.connection = connection
        self.shard = shard
    }

    var isDraining: Bool { shard.isDraining }

    /// Serves requests until the connection ends.
    func run() async {
        guard await shakesHands() else { return connection.closeAfterWriting() }
        connection.onPeerClose = { [weak self] in self?.peerWentAway() }
        do throws(HTTPFault) {
            while try await serveOne() {}
            connection.closeAfterWriting()
        } catch {
            refuse(error)
        }
        connection.onPeerClose = nil
    }

    /// Whether a TLS client finishes its handshake in time: one that never does must not keep its place.
    private func shakesHands() async -> Bool {
        guard connection.isSecure else { return true }
        idleSince = connection.loop.now
        defer { idleSince = nil }
        do throws(NetworkError) {
            try await connection.secured(within: limits.headerTimeout)
            return !connection.isClosed
        } catch {
            if error.kind == .tls { Log("http").info("no TLS with \(error.text)") }
            return false
        }
    }

    /// Reads and answers one request; false when there will be no other.
    private func serveOne() async throws(HTTPFault) -> Bool {
        guard let head = try await readHead() else { return false }
        guard let body = try await readBody(head) else { return false }
        let request = HTTPRequest(
            method: head.method, path: head.path, query: head.query, headers: head.headers, body: body, peer: connection.peer,
            isTLS: shard.isTLS, clientCertificate: clientCertificate)
        let exchange = HTTPExchange(request, isVersion11: head.isVersion11, keepsAlive: head.keepsAlive, of: self)
        self.exchange = exchange
        await shard.handler(exchange)
        exchange.conclude()
        self.exchange = nil
        guard exchange.keepsAlive, !connection.isClosed else { return false }
        do throws(NetworkError) { try await waitForReader() } catch { return false }
        return !isDraining
    }

    private func readHead() async throws(HTTPFault) -> HTTPRequestHead? {
        var scanner = HTTPHeadScanner()
        var deadline: ContinuousClock.Instant?
        var isFirst = true
        while true {
            // One empty line before a request is forgiven (RFC 9112 §2.2).
            if isFirst, connection.input.count >= 2, connection.input[0] == ASCII.cr, connection.input[1] == ASCII.lf {
                connection.input.consume(2)
                isFirst = false
            }
            if !connection.input.isEmpty, connection.input.count > 1 || connection.input[0] != ASCII.cr {
                isFirst = false
                let end = try connection.input.withUnsafeBytes { bytes throws(HTTPFault) in
                    try scanner.end(in: bytes, bytesMax: limits.headerBytesMax)
                }
                if let end { return try HTTPRequestHead(parsing: connection.input.take(end)) }
            }
            if connection.input.isEmpty {
                guard await becomesReadable() else { return nil }
            } else {
                let end = deadline ?? connection.loop.now.advanced(by: limits.headerTimeout)
                deadline = end
                guard try await readMore(until: end) else { return nil }
            }
        }
    }

    /// Waits for a request without a timer: the shard looks for idle connections now and then.
    private func becomesReadable() async -> Bool {
        guard !isDraining else { return false }
        idleSince = connection.loop.now
        defer { idleSince = nil }
        do throws(NetworkError) { return try await connection.fill(within: nil) } catch { return false }
    }

    /// Reads more of a request that has begun; false when the client has hung up.
    private func readMore(until deadline: ContinuousClock.Instant) async throws(HTTPFault) -> Bool {
        let left = connection.loop.now.duration(to: deadline)
        guard left > .zero else { throw HTTPFault(408, "The request took too long to arrive.") }
        do throws(NetworkError) {
            return try await connection.fill(within: left)
        } catch {
            if error.kind == .timedOut { throw HTTPFault(408, "The request took too long to arrive.") }
            return false
        }
    }

    private func readBody(_ head: HTTPRequestHead) async throws(HTTPFault) -> [UInt8]? {
        if head.framing == .none { return [] }
        if case .length(let count) = head.framing, count <= limits.bodyBytesMax, connection.input.count >= count {
            return connection.input.take(count)
        }
        var reader = HTTPBodyReader(head.framing, isRequest: true, overheadBytesMax: limits.headerBytesMax)
        var body: [UInt8] = []
        let deadline = connection.loop.now.advanced(by: limits.bodyTimeout)
        var owesContinue = head.expectsContinue
        while true {
            let used = try connection.input.withUnsafeBytes { bytes throws(HTTPFault) in
                try reader.read(bytes, into: &body, hardMax: limits.bodyBytesMax)
            }
            connection.input.consume(used)
            if reader.isDone { return body }
            if owesContinue, body.isEmpty { connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
            owesContinue = false
            guard try await readMore(until: deadline) else { return nil }
        }
    }

    /// Waits while more is queued than a slow reader is granted; any number of tasks may.
    func waitForReader() async throws(NetworkError) {
        while connection.queuedBytes >= limits.queuedBytesMax {
            guard !isWaitingForReader else {
                await withUnsafeContinuation { continuation in
                    // The reader may have caught up since the look above.
                    if isWaitingForReader { others.append(continuation) } else { continuation.resume() }
                }
                continue
            }
            isWaitingForReader = true
            defer { readerCaughtUp() }
            do throws(NetworkError) {
                try await connection.drained(below: limits.queuedBytesMax, within: limits.writeTimeout)
            } catch {
                connection.abort()
                throw error
            }
        }
    }

    private func readerCaughtUp() {
        isWaitingForReader = false
        let waiting = others
        others = []
        for other in waiting { other.resume() }
    }

    private func peerWentAway() {
        isPeerGone = true
        exchange?.peerWentAway()
    }

    /// Says why and closes.
    private func refuse(_ fault: HTTPFault) {
        let body = Array((fault.text + "\n").utf8)
        let head = HTTPReplyHead(status: fault.status, isVersion11: true, keepsAlive: false, framing: .length(body.count))
        connection.write(head.bytes(contentType: "text/plain", fields: []), body)
        connection.closeAfterWriting()
    }
}
