/// The connections of one loop to one origin.
final class HTTPClientPool {
    private let loop: EventLoop
    private let limits: HTTPClientLimits
    private var idle: [HTTPClientLink] = []
    /// Connections that are open or being opened.
    private(set) var count = 0
    private var sweeper: LoopTimer?

    init(loop: EventLoop, limits: HTTPClientLimits) {
        self.loop = loop
        self.limits = limits
    }

    /// The connection that was used last and still can be, or nil.
    func take() -> HTTPClientLink? {
        while let link = idle.popLast() {
            if link.reuse() { return link }
        }
        return nil
    }

    /// Counts a connection and opens it.
    func open(_ connect: () async throws(NetworkError) -> Connection) async throws(NetworkError) -> HTTPClientLink {
        guard count < limits.connectionsPerOriginMax else {
            throw NetworkError(.overloaded, "there are \(count) connections to one server already")
        }
        count += 1
        do throws(NetworkError) {
            return HTTPClientLink(try await connect(), of: self)
        } catch {
            count -= 1
            throw error
        }
    }

    /// Keeps a clean connection for the next request; false when there are enough.
    func keep(_ link: HTTPClientLink) -> Bool {
        guard idle.count < limits.idlePerOriginMax else { return false }
        idle.append(link)
        startSweeping()
        return true
    }

    /// Notes that a connection was closed.
    func forget(_ link: HTTPClientLink?) {
        count -= 1
        idle.removeAll { $0 === link }
    }

    /// Closes what is idle.
    func closeIdle() {
        sweeper?.cancel()
        sweeper = nil
        for link in idle { link.connection.close() }
    }

    private func startSweeping() {
        guard sweeper == nil else { return }
        sweeper = loop.schedule(after: limits.idleTimeout / 2) { [self] in
            sweeper = nil
            let bound = loop.now.advanced(by: .zero - limits.idleTimeout)
            for link in idle where link.connection.idleSince <= bound { link.connection.close() }
            if !idle.isEmpty { startSweeping() }
        }
    }
}
