import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One listening socket on one loop; touched there only.
final class Acceptor: Pollable, @unchecked Sendable {
    private let descriptor: Int32
    private let loop: EventLoop
    private let targets: [EventLoop]
    private let tls: TLSServerContext?
    private let accept: @Sendable (Connection, EventLoop) -> Void
    private var turn = 0
    private var isOpen = true
    private var pause: LoopTimer?

    init(
        descriptor: Int32, loop: EventLoop, targets: [EventLoop], tls: TLSServerContext?, accept: @escaping @Sendable (Connection, EventLoop) -> Void
    ) {
        self.descriptor = descriptor
        self.loop = loop
        self.targets = targets
        self.tls = tls
        self.accept = accept
    }

    func start() {
        loop.execute { [self] in listen() }
    }

    func stop() {
        loop.execute { [self] in close() }
    }

    func loopEnds() { close() }

    func ready(_: Readiness) {
        for _ in 0..<64 {
            let (socket, peer) = System.accept(descriptor)
            if socket >= 0 {
                admit(socket, peer)
                continue
            }
            switch errno {
            case EAGAIN: return
            case EINTR, ECONNABORTED: continue
            default: return rest(NetworkError.text(of: errno))
            }
        }
    }

    private func listen() {
        guard isOpen, loop.add(self, descriptor: descriptor, interest: [.readable, .level]) != 0 else { return }
        rest("the listening socket could not be registered")
    }

    /// Out of descriptors or memory: the socket stays readable, so look away for a moment instead of spinning.
    private func rest(_ reason: String) {
        Log("network").warning("no connection can be accepted: \(reason)")
        loop.remove(descriptor: descriptor)
        pause = loop.schedule(after: .milliseconds(100)) { [self] in listen() }
    }

    private func admit(_ socket: Int32, _ peer: SocketAddress) {
        System.setNoDelay(socket)
        let target = targets[turn % targets.count]
        turn &+= 1
        if target === loop {
            hand(socket, peer, to: target)
        } else {
            target.execute { [self] in hand(socket, peer, to: target) }
        }
    }

    private func hand(_ socket: Int32, _ peer: SocketAddress, to target: EventLoop) {
        do throws(NetworkError) {
            let stream = try tls?.stream()
            let connection = try Connection(descriptor: socket, peer: peer, loop: target)
            connection.tls = stream
            accept(connection, target)
        } catch {
            Log("network").warning("\(peer): \(error)")
        }
    }

    private func close() {
        guard isOpen else { return }
        isOpen = false
        pause?.cancel()
        loop.remove(descriptor: descriptor)
        System.close(descriptor)
    }
}
