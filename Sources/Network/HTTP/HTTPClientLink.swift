/// One connection of a pool, idle or carrying one exchange.
final class HTTPClientLink {
    let connection: Connection
    private let pool: HTTPClientPool
    /// Counts exchanges, so that a late cancellation can't hit the next one.
    private(set) var exchange = 0
    private var isIdle = false

    init(_ connection: Connection, of pool: HTTPClientPool) {
        self.connection = connection
        self.pool = pool
        connection.onPeerClose = { [weak self] in
            if let self, isIdle { self.connection.close() }
        }
        connection.onClosed = { [weak self, pool] in
            pool.forget(self)
        }
    }

    /// Takes an idle connection for an exchange; false, and closed, when the server has hung up or said something unasked.
    func reuse() -> Bool {
        isIdle = false
        let isQuiet = !connection.mayRead && !connection.hungUp && !connection.isClosed && connection.input.isEmpty
        let isFresh = connection.idleSince.duration(to: connection.loop.now) < .seconds(1)
        if isQuiet, isFresh || connection.isStillUsable() { return true }
        if !isQuiet, connection.isStillUsable() { return true }
        connection.close()
        return false
    }

    /// Ends the exchange: pools the connection if it is clean, closes it otherwise.
    func release(keepsAlive: Bool) {
        exchange += 1
        guard keepsAlive, !connection.isClosed, !connection.hungUp, connection.input.isEmpty, connection.queuedBytes == 0, pool.keep(self) else {
            return connection.close()
        }
        isIdle = true
    }

    /// Breaks the exchange off.
    func abort() {
        exchange += 1
        connection.abort()
    }

    /// What breaks off this exchange and no later one, from any thread.
    func breaker() -> @Sendable () -> Void {
        let number = exchange
        let link = Carried(value: self)
        let loop = connection.loop
        return {
            loop.execute {
                if link.value.exchange == number { link.value.abort() }
            }
        }
    }

    /// Reads more; false at the end of the stream. Ends with `.closed` when the exchange is broken off.
    func fill(within limit: Duration?) async throws(NetworkError) -> Bool { try await connection.fill(within: limit) }
}
