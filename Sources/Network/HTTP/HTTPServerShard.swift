import Synchronization

/// The part of a server that lives on one loop; touched on that loop only, but for what never changes.
final class HTTPServerShard: @unchecked Sendable {
    let loop: EventLoop
    let limits: HTTPLimits
    let isTLS: Bool
    let handler: @Sendable (HTTPExchange) async -> Void
    private(set) var isDraining = false
    private let total: HTTPConnectionCount
    private var connections: [HTTPServerConnection] = []
    private var sweeper: LoopTimer?
    private var whenEmpty: (() -> Void)?

    init(
        loop: EventLoop, limits: HTTPLimits, isTLS: Bool, total: HTTPConnectionCount, handler: @escaping @Sendable (HTTPExchange) async -> Void
    ) {
        self.loop = loop
        self.limits = limits
        self.isTLS = isTLS
        self.total = total
        self.handler = handler
    }

    /// Serves a new connection, or turns it away when there are too many.
    func accept(_ connection: Connection) {
        guard !isDraining, total.take(below: limits.connectionsMax) else {
            let head = HTTPReplyHead(status: 503, isVersion11: true, keepsAlive: false, framing: .length(0))
            connection.write(head.bytes(contentType: nil, fields: [("Retry-After", "1")]))
            connection.closeAfterWriting()
            return
        }
        let client = HTTPServerConnection(connection, of: self)
        client.place = connections.count
        connections.append(client)
        startSweeping()
        loop.spawn(with: (self, client)) { shard, client in
            await client.run()
            shard.remove(client)
        }
    }

    /// Closes idle connections at once and the others after their exchange, or when the time is over; then calls back.
    func drain(within time: Duration, _ done: @escaping () -> Void) {
        isDraining = true
        guard !connections.isEmpty else { return done() }
        let timer = loop.schedule(after: time) { [self] in
            for client in connections { client.connection.abort() }
            finishDraining()
        }
        let earlier = whenEmpty
        whenEmpty = {
            timer.cancel()
            earlier?()
            done()
        }
        for client in connections where client.idleSince != nil { client.connection.abort() }
    }

    private func finishDraining() {
        let tell = whenEmpty
        whenEmpty = nil
        tell?()
    }

    private func remove(_ client: HTTPServerConnection) {
        total.giveBack()
        let last = connections.removeLast()
        if last !== client {
            connections[client.place] = last
            last.place = client.place
        }
        guard connections.isEmpty else { return }
        sweeper?.cancel()
        sweeper = nil
        finishDraining()
    }

    /// One timer for all connections, so that a request costs none.
    private func startSweeping() {
        guard sweeper == nil else { return }
        sweeper = loop.schedule(after: min(.seconds(1), limits.idleTimeout / 4)) { [self] in
            sweeper = nil
            let bound = loop.now.advanced(by: .zero - limits.idleTimeout)
            for client in connections {
                if let since = client.idleSince, since <= bound { client.connection.abort() }
            }
            if !connections.isEmpty { startSweeping() }
        }
    }
}

/// How many connections a server has, over all its loops.
final class HTTPConnectionCount: Sendable {
    private let count = Atomic<Int>(0)

    /// Counts one more, unless there are `max` already.
    func take(below max: Int) -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).oldValue < max else {
            giveBack()
            return false
        }
        return true
    }

    func giveBack() { count.wrappingSubtract(1, ordering: .relaxed) }
}
