/// A response whose head has arrived; its body is read by `body` or by `chunk`.
///
/// The connection goes back to the pool at the end of the body, and is closed when the response is dropped before.
package final class HTTPClientResponse {
    /// 200 to 599.
    package let status: Int
    /// The fields.
    package let headers: HTTPHeaders

    private var link: HTTPClientLink?
    private var reader: HTTPBodyReader
    private let keepsAlive: Bool
    private let limits: HTTPClientLimits
    private let origin: HTTPOrigin
    private var isCancelled = false

    init(_ head: HTTPResponseHead, on link: HTTPClientLink, limits: HTTPClientLimits, origin: HTTPOrigin) {
        status = head.status
        headers = head.headers
        keepsAlive = head.keepsAlive
        reader = HTTPBodyReader(head.framing, isRequest: false, overheadBytesMax: limits.headerBytesMax)
        self.link = link
        self.limits = limits
        self.origin = origin
        if reader.isDone { finish() }
    }

    deinit {
        guard let link else { return }
        let dropped = Carried(value: link)
        let number = link.exchange
        link.connection.loop.execute {
            if dropped.value.exchange == number { dropped.value.abort() }
        }
    }

    /// Reads the rest of the body, `replyBytesMax` at most unless `max` says otherwise.
    ///
    /// Throws `.tooLarge`, `.timedOut`, `.closed`, `.protocolViolation`, after each of which the connection is closed.
    package func body(max: Int? = nil, within limit: Duration) async throws(NetworkError) -> [UInt8] {
        let max = max ?? limits.replyBytesMax
        var body: [UInt8] = []
        if let link, let count = reader.remainingLength, count <= max, link.connection.input.count >= count {
            body = link.connection.input.take(count)
            reader.skipToEnd()
            finish()
            return body
        }
        do throws(NetworkError) {
            guard let link else { return try ended() ?? [] }
            let deadline = link.connection.loop.now.advanced(by: limit)
            // What the server announces is believed up to a bound: it may never come.
            if let count = reader.remainingLength { body.reserveCapacity(min(count, max, 1 << 20)) }
            repeat {
                try read(into: &body, softMax: .max, hardMax: max)
                if reader.isDone { break }
                guard link.connection.loop.now < deadline else {
                    throw NetworkError(.timedOut, "\(origin) did not send its whole answer in time")
                }
            } while try await readMore(within: link.connection.loop.now.duration(to: deadline))
            finish()
            return body
        } catch {
            cancel()
            throw error
        }
    }

    /// Returns what has arrived of the body, at most 64 KiB, or waits for it; nil at the end.
    ///
    /// Throws `.timedOut`, after which one may go on; `.closed` when cancelled or broken off; `.protocolViolation`.
    package func chunk(within limit: Duration?) async throws(NetworkError) -> [UInt8]? {
        var chunk: [UInt8] = []
        do throws(NetworkError) {
            while true {
                guard link != nil else { return try ended() }
                try read(into: &chunk, softMax: 64 * 1024, hardMax: .max)
                if reader.isDone { finish() }
                if !chunk.isEmpty { return chunk }
                if reader.isDone { return nil }
                guard try await readMore(within: limit) else {
                    finish()
                    return nil
                }
            }
        } catch {
            if error.kind != .timedOut { cancel() }
            throw error
        }
    }

    /// Closes the connection unless the body has been read; harmless at any time, also while another task waits in `chunk`.
    package func cancel() {
        guard let link else { return }
        isCancelled = true
        self.link = nil
        link.abort()
    }

    /// What ends a wait for more of the body as if its time were over, from any thread; harmless at any time.
    package func interrupter() -> @Sendable () -> Void {
        guard let link else { return {} }
        let number = link.exchange
        let carried = Carried(value: link)
        let loop = link.connection.loop
        return {
            loop.execute {
                if carried.value.exchange == number { carried.value.connection.wakeReader(.timedOut) }
            }
        }
    }

    private func ended() throws(NetworkError) -> [UInt8]? {
        guard !isCancelled else { throw NetworkError(.closed, "the response was cancelled") }
        return nil
    }

    private func read(into body: inout [UInt8], softMax: Int, hardMax: Int) throws(NetworkError) {
        guard let link else { throw NetworkError(.closed, "the response was cancelled") }
        do throws(HTTPFault) {
            let used = try link.connection.input.withUnsafeBytes { bytes throws(HTTPFault) in
                try reader.read(bytes, into: &body, softMax: softMax, hardMax: hardMax)
            }
            link.connection.input.consume(used)
        } catch {
            throw NetworkError(error, from: origin)
        }
    }

    /// False when the connection ended and the body with it.
    private func readMore(within limit: Duration?) async throws(NetworkError) -> Bool {
        guard let link else { throw NetworkError(.closed, "the response was cancelled") }
        if try await link.fill(within: limit) { return true }
        guard reader.endsWithConnection else { throw NetworkError(.closed, "\(origin) closed the connection in the middle of its answer") }
        return false
    }

    private func finish() {
        link?.release(keepsAlive: keepsAlive)
        link = nil
    }
}
