/// An HTTP/1.1 client of one loop, with a pool of connections for each origin and proxy.
///
/// Not Sendable: every method is on the loop.
package final class HTTPClient {
    private struct Way: Hashable {
        let origin: HTTPOrigin
        let proxy: HTTPProxy?
    }

    private let loop: EventLoop
    private let limits: HTTPClientLimits
    private let makeTLS: @Sendable () throws(NetworkError) -> TLSClientContext
    private let mayConnect: (@Sendable (SocketAddress) -> Bool)?
    private var tls: TLSClientContext?
    private var pools: [Way: HTTPClientPool] = [:]

    /// Makes a client; `tls` is asked once, when the first `https` connection is opened. `mayConnect` judges every address of a host before
    /// it is connected to, save a proxy's.
    package init(
        loop: EventLoop, limits: HTTPClientLimits = HTTPClientLimits(), mayConnect: (@Sendable (SocketAddress) -> Bool)? = nil,
        tls: @escaping @Sendable () throws(NetworkError) -> TLSClientContext = { () throws(NetworkError) in try TLSClientContext() }
    ) {
        self.loop = loop
        self.limits = limits
        self.mayConnect = mayConnect
        makeTLS = tls
    }

    /// Sends a request and waits for the head of its response; interim responses are skipped.
    ///
    /// A request that may be repeated safely is sent once more when a pooled connection turns out to be dead; any other never is.
    /// `whenSent` is handed what breaks the exchange off, from any thread and at any time; it does nothing once the response has ended.
    ///
    /// Throws `.timedOut`, `.closed` (also when broken off), `.protocolViolation`, `.tooLarge`, `.overloaded`, and what connecting throws.
    package func send(
        _ request: HTTPClientRequest, within limit: Duration, whenSent: ((@escaping @Sendable () -> Void) -> Void)? = nil
    ) async throws(NetworkError) -> HTTPClientResponse {
        let deadline = loop.now.advanced(by: limit)
        let pool = pool(for: Way(origin: request.origin, proxy: request.proxy))
        if let link = pool.take() {
            do throws(NetworkError) {
                return try await exchange(request, on: link, until: deadline, whenSent)
            } catch {
                guard error.kind == .closed, request.method.isIdempotent, link.connection.input.isEmpty, !Task.isCancelled else { throw error }
            }
        }
        let link = try await pool.open { () throws(NetworkError) in try await connect(request, until: deadline) }
        return try await exchange(request, on: link, until: deadline, whenSent)
    }

    /// Closes the idle connections.
    package func closeIdle() {
        for pool in pools.values { pool.closeIdle() }
    }

    private func pool(for way: Way) -> HTTPClientPool {
        if let pool = pools[way] { return pool }
        // Origins that are called once must not pile up.
        if pools.count >= 256 { pools = pools.filter { $0.value.count > 0 } }
        let pool = HTTPClientPool(loop: loop, limits: limits)
        pools[way] = pool
        return pool
    }

    private func exchange(
        _ request: HTTPClientRequest, on link: HTTPClientLink, until deadline: ContinuousClock.Instant,
        _ whenSent: ((@escaping @Sendable () -> Void) -> Void)?
    ) async throws(NetworkError) -> HTTPClientResponse {
        link.connection.write(request.head(), request.body)
        whenSent?(link.breaker())
        do throws(NetworkError) {
            let head = try await readHead(to: request.method, from: request.origin, on: link, until: deadline)
            return HTTPClientResponse(head, on: link, limits: limits, origin: request.origin)
        } catch {
            link.abort()
            throw error
        }
    }

    private func readHead(
        to method: HTTPMethod, from origin: HTTPOrigin, on link: HTTPClientLink, until deadline: ContinuousClock.Instant
    ) async throws(NetworkError) -> HTTPResponseHead {
        var scanner = HTTPHeadScanner()
        var interims = 0
        while true {
            do throws(HTTPFault) {
                let end = try link.connection.input.withUnsafeBytes { bytes throws(HTTPFault) in
                    try scanner.end(in: bytes, bytesMax: limits.headerBytesMax)
                }
                if let end {
                    let head = try HTTPResponseHead(parsing: link.connection.input.take(end), to: method)
                    guard head.isInterim else { return head }
                    interims += 1
                    guard interims <= 16 else { throw .malformed("There are too many interim responses.") }
                    scanner = HTTPHeadScanner()
                    continue
                }
            } catch {
                throw NetworkError(error, from: origin)
            }
            let left = loop.now.duration(to: deadline)
            guard left > .zero else { throw NetworkError(.timedOut, "\(origin) did not answer in time") }
            guard try await link.fill(within: left) else {
                throw NetworkError(.closed, "\(origin) closed the connection before it answered")
            }
        }
    }
}

extension HTTPClient {
    private func connect(_ request: HTTPClientRequest, until deadline: ContinuousClock.Instant) async throws(NetworkError) -> Connection {
        let start = loop.now
        let origin = request.origin
        let end = min(deadline, start.advanced(by: limits.connectTimeout))
        guard start < end else { throw NetworkError(.timedOut, "\(origin) could not be called in time") }
        let limit = start.duration(to: end)
        let context = origin.isTLS ? try tlsContext() : nil
        guard let proxy = request.proxy else {
            return try await Connection.connect(host: origin.host, port: origin.port, tls: context, within: limit, on: loop, mayConnect: mayConnect)
        }
        let connection = try await Connection.connect(host: proxy.host, port: proxy.port, within: limit, on: loop)
        guard let context else { return connection }
        try await openTunnel(to: origin, through: proxy, on: connection, until: end)
        try await connection.shakeHands(context, serverName: origin.host, until: end)
        return connection
    }

    private func tlsContext() throws(NetworkError) -> TLSClientContext {
        if let tls { return tls }
        let made = try makeTLS()
        tls = made
        return made
    }

    /// Asks a proxy for a tunnel (RFC 9110 §9.3.6).
    private func openTunnel(
        to origin: HTTPOrigin, through proxy: HTTPProxy, on connection: Connection, until deadline: ContinuousClock.Instant
    ) async throws(NetworkError) {
        var head = Array("CONNECT \(origin.authorityWithPort) HTTP/1.1\r\n".utf8)
        HTTPReplyHead.append("Host", origin.authorityWithPort, to: &head)
        if let authorization = proxy.authorization { HTTPReplyHead.append("Proxy-Authorization", authorization, to: &head) }
        HTTPReplyHead.append("\r\n", to: &head)
        connection.write(head)
        // A link of no pool: only to read a head with.
        let link = HTTPClientLink(connection, of: HTTPClientPool(loop: loop, limits: limits))
        defer {
            connection.onPeerClose = nil
            connection.onClosed = nil
        }
        do throws(NetworkError) {
            let head = try await readHead(to: .connect, from: origin, on: link, until: deadline)
            guard (200..<300).contains(head.status) else {
                throw NetworkError(.connect, "the proxy \(proxy) answered \(head.status) when asked for \(origin)")
            }
            // Bytes before our handshake can't come from the origin.
            guard connection.input.isEmpty else { throw NetworkError(.protocolViolation, "the proxy \(proxy) spoke out of turn") }
        } catch {
            connection.close()
            throw error
        }
    }
}

extension NetworkError {
    /// What a fault means to a client.
    init(_ fault: HTTPFault, from origin: HTTPOrigin) {
        let kind: Kind = fault.status == 413 || fault.status == 431 ? .tooLarge : .protocolViolation
        self.init(kind, "\(origin) sent a malformed response: \(fault.text)")
    }
}
