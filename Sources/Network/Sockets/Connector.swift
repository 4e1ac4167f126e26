#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Connection {
    /// Connects to the first address that answers, and shakes hands if a TLS context is given. On the loop.
    ///
    /// Throws `.connect` (with what each address said), `.timedOut`, `.tls`.
    package static func connect(
        to addresses: [SocketAddress], tls: TLSClientContext? = nil, serverName: String? = nil, within limit: Duration, on loop: EventLoop
    ) async throws(NetworkError) -> Connection {
        precondition(loop.isCurrent, "connect is for tasks of the loop")
        let deadline = loop.now.advanced(by: limit)
        var reasons: [String] = []
        for (index, address) in addresses.prefix(8).enumerated() {
            let left = loop.now.duration(to: deadline)
            guard left > .zero else { break }
            let isLast = index + 1 == min(8, addresses.count)
            let attempt = isLast ? left : min(left / 2, .seconds(2))
            do throws(NetworkError) {
                let connection = try await open(address, until: loop.now.advanced(by: attempt), on: loop)
                if let tls {
                    try await connection.shakeHands(tls, serverName: serverName ?? address.host, until: deadline)
                }
                return connection
            } catch {
                if error.kind == .tls { throw error }
                reasons.append(error.text)
            }
        }
        let target = serverName ?? addresses.first?.description ?? "nowhere"
        if loop.now >= deadline { throw NetworkError(.timedOut, "\(target) did not answer in time") }
        throw NetworkError(.connect, "cannot connect to \(target): " + reasons.joined(separator: "; "))
    }

    /// The same for a name or an address literal; looks the name up first, and passes over the addresses that `mayConnect` refuses.
    package static func connect(
        host: String, port: UInt16, tls: TLSClientContext? = nil, within limit: Duration, on loop: EventLoop,
        mayConnect: (@Sendable (SocketAddress) -> Bool)? = nil
    ) async throws(NetworkError) -> Connection {
        let start = loop.now
        var addresses = try await Resolver.resolve(host: host, port: port)
        if let mayConnect {
            // Judged after the look-up and connected to as judged: a name may lead elsewhere the next time (DNS rebinding).
            addresses = addresses.filter(mayConnect)
            guard !addresses.isEmpty else { throw NetworkError(.connect, "\(host) leads to an address that may not be reached from here") }
        }
        let left = limit - start.duration(to: loop.now)
        return try await connect(to: addresses, tls: tls, serverName: host, within: left, on: loop)
    }

    private static func open(
        _ address: SocketAddress, until deadline: ContinuousClock.Instant, on loop: EventLoop
    ) async throws(NetworkError) -> Connection {
        let descriptor = System.socket(family: address.family)
        guard descriptor >= 0 else { throw .io("socket") }
        System.setNoDelay(descriptor)
        System.setOption(descriptor, level: SOL_SOCKET, SO_KEEPALIVE)
        let answer = address.withPointer { connectSocket(descriptor, $0, $1) }
        guard answer == 0 || errno == EINPROGRESS else {
            let error = NetworkError(.connect, "\(address): \(NetworkError.text(of: errno))")
            System.close(descriptor)
            throw error
        }
        let connection = try Connection(descriptor: descriptor, peer: address, loop: loop)
        connection.mayRead = false
        guard answer != 0 else { return connection }
        let wake = await connection.waitWritable(until: deadline)
        guard wake == .ready else {
            connection.close()
            throw wake == .closed ? .closed : NetworkError(.timedOut, "\(address) did not answer in time")
        }
        let error = System.pendingError(descriptor)
        guard error == 0 else {
            connection.close()
            throw NetworkError(.connect, "\(address): \(NetworkError.text(of: error))")
        }
        return connection
    }

    /// Turns an open connection into a TLS one, such as the tunnel of a proxy; closes it when that fails.
    func shakeHands(_ context: TLSClientContext, serverName: String, until deadline: ContinuousClock.Instant) async throws(NetworkError) {
        do throws(NetworkError) {
            let stream = try context.stream(serverName: serverName)
            tls = stream
            stream.start()
            flushTLS()
            while !stream.isEstablished {
                switch readOnce() {
                case .bytes, .progress: continue
                case .failed(let error): throw NetworkError(.tls, "\(serverName): \(error.text)")
                case .end: throw NetworkError(.tls, "\(serverName) (\(peer)) closed the connection during the TLS handshake")
                case .blocked: break
                }
                switch await waitReadable(until: deadline) {
                case .ready: continue
                case .closed: throw .closed
                case .timedOut: throw NetworkError(.timedOut, "\(serverName) (\(peer)) did not finish the TLS handshake in time")
                }
            }
        } catch {
            close()
            throw error
        }
    }
}

private func connectSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}
