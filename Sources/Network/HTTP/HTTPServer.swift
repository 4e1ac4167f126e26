import Synchronization

/// An HTTP/1.1 server over the loops of a group (RFC 9110, RFC 9112).
///
/// Each connection is served by one task on its loop, which also runs the handler; requests of one connection are handled one after the other.
package final class HTTPServer: Sendable {
    private let shards: [HTTPServerShard]
    private let tls: TLSServerContext?
    private let listeners = Mutex<[Listener]>([])

    /// Makes a server that listens nowhere yet; with a TLS context it speaks HTTPS only.
    package init(
        loops: LoopGroup, limits: HTTPLimits = HTTPLimits(), tls: TLSServerContext? = nil, handler: @escaping @Sendable (HTTPExchange) async -> Void
    ) {
        self.tls = tls
        let total = HTTPConnectionCount()
        shards = loops.loops.map { loop in
            HTTPServerShard(loop: loop, limits: limits, isTLS: tls != nil, total: total, handler: handler)
        }
    }

    /// Listens, and returns the port that was bound; 0 asks for a free one.
    ///
    /// Throws `.resolve` for an unknown host, `.io` when the port is taken or not allowed.
    @discardableResult
    package func listen(host: String, port: Int) throws(NetworkError) -> Int {
        guard let port = UInt16(exactly: port) else { throw NetworkError(.resolve, "\(port) is not a port") }
        let shards = shards
        let listener = try Listener.bind(host: host, port: port, loops: shards.map(\.loop), tls: tls) { connection, loop in
            shards.first { $0.loop === loop }?.accept(connection)
        }
        listeners.withLock { $0.append(listener) }
        return Int(listener.port)
    }

    /// Takes no more connections; open ones go on.
    package func stopAccepting() {
        let all = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in all { listener.stop() }
    }

    /// Takes no more connections, closes idle ones, lets running exchanges finish (`Connection: close`), and breaks off what is left after the time.
    package func drain(within time: Duration) async {
        stopAccepting()
        await withTaskGroup(of: Void.self) { group in
            for shard in shards {
                group.addTask {
                    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                        shard.loop.execute { shard.drain(within: time) { done.resume() } }
                    }
                }
            }
        }
    }
}
