#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A TCP or TLS byte stream of one loop.
///
/// Not Sendable: every method and callback is on its loop, and one task may read while another writes. It stays alive until it is
/// closed, by `close` or `closeAfterWriting`; dropping the reference is not enough.
package final class Connection {
    enum State {
        case open
        /// Queued bytes are still leaving.
        case finishing
        /// All is written; what the peer still sends is thrown away, lest a reset overtake our last bytes (RFC 9112 §9.6).
        case lingering
        case closed
    }

    enum Wake {
        case ready, timedOut, closed
    }

    package let loop: EventLoop
    package let peer: PeerAddress
    /// What was read and not yet consumed.
    package var input = ByteBuffer()
    /// When it was last read from or written to; for pools.
    package private(set) var idleSince: ContinuousClock.Instant
    /// Called once, soon after the peer has hung up (its end of stream, a reset) while nobody waits in `fill`; what it sent before can still be filled.
    package var onPeerClose: (() -> Void)? {
        didSet { announceHangUp() }
    }
    /// Called once when the descriptor is closed, by whomever.
    package var onClosed: (() -> Void)?

    let descriptor: Int32
    var tls: TLSStream?
    var state = State.open
    var output = OutputQueue()
    var mayRead = true
    var hungUp = false
    private var announced = false
    private var writeFailed = false
    private var reader: UnsafeContinuation<Wake, Never>?
    private var readDeadline: ContinuousClock.Instant?
    private var writer: UnsafeContinuation<Wake, Never>?
    private var writeDeadline: ContinuousClock.Instant?
    private var writeThreshold = 0
    /// One timer for all waits, left running when a wait ends early: most reads neither set nor cancel one.
    private var timer: LoopTimer?

    /// Takes over a connected or connecting socket, closes it when it cannot be registered.
    init(descriptor: Int32, peer: SocketAddress, loop: EventLoop) throws(NetworkError) {
        self.descriptor = descriptor
        self.peer = PeerAddress(peer)
        self.loop = loop
        idleSince = loop.now
        let error = loop.add(self, descriptor: descriptor, interest: [.readable, .writable])
        guard error == 0 else {
            state = .closed
            System.close(descriptor)
            throw .io("a connection could not be registered", error)
        }
    }

    /// True as soon as nothing more can be written.
    package var isClosed: Bool { state != .open || writeFailed }

    package var isSecure: Bool { tls != nil }

    /// The verified certificate of a TLS peer; known once the handshake is over, on a server after the first `fill`.
    package var peerCertificate: PeerCertificate? { tls?.peerCertificate }

    // MARK: Reading

    /// Reads more into `input`, and waits for it up to the duration (nil: without end); false at the end of the stream.
    ///
    /// Throws `.timedOut`, after which one may go on; `.closed` when the connection was closed here or reset by the peer; `.tls`.
    /// Cancelling the task does not end the wait; `abort` does.
    package func fill(within limit: Duration?) async throws(NetworkError) -> Bool {
        var deadline: ContinuousClock.Instant?
        while true {
            guard state == .open else { throw .closed }
            switch readOnce() {
            case .bytes:
                idleSince = loop.now
                if hungUp { announceHangUp() }
                return true
            case .end: return false
            case .failed(let error): throw error
            case .progress: continue
            case .blocked: break
            }
            if deadline == nil, let limit { deadline = loop.now.advanced(by: limit) }
            switch await waitReadable(until: deadline) {
            case .ready: continue
            case .closed: throw .closed
            case .timedOut: throw NetworkError(.timedOut, "nothing came from \(peer) in time")
            }
        }
    }

    /// Whether a pooled connection may carry another request: it is open, and nothing has come that nobody asked for. RFC 9112 §9.3.1.
    package func isStillUsable() -> Bool {
        guard !isClosed, !hungUp, input.isEmpty, reader == nil else { return false }
        if tls != nil {
            // Between two requests a TLS peer may send session tickets; they are not data.
            mayRead = true
            while true {
                switch readOnce() {
                case .progress: continue
                case .blocked: return !isClosed
                case .bytes, .end, .failed: return false
                }
            }
        }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    func waitReadable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(reader == nil, "two tasks read from one connection")
        readDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { reader = $0 }
    }

    // MARK: Writing

    /// Bytes that were written here and not yet taken by the socket.
    package var queuedBytes: Int { output.count }

    /// Queues the bytes and writes at once what the socket takes; on a closed connection they are dropped.
    package func write(_ bytes: [UInt8]) { write(bytes, []) }

    /// The same for two parts in one system call.
    package func write(_ head: [UInt8], _ body: [UInt8]) {
        guard !isClosed else { return }
        idleSince = loop.now
        if let tls {
            guard tls.encrypt(head), tls.encrypt(body) else { return failWriting() }
            settle(output.write(tls.takeOutgoing(), [], to: descriptor))
        } else {
            settle(output.write(head, body, to: descriptor))
        }
    }

    /// Waits until fewer than `threshold` bytes are queued, up to the duration (nil: without end); throws `.timedOut` or `.closed`.
    package func drained(below threshold: Int, within limit: Duration?) async throws(NetworkError) {
        let deadline = limit.map { loop.now.advanced(by: $0) }
        while true {
            guard !isClosed else { throw .closed }
            guard output.count >= max(1, threshold) else { return }
            writeThreshold = max(1, threshold)
            switch await waitWritable(until: deadline) {
            case .ready: continue
            case .closed: throw .closed
            case .timedOut: throw NetworkError(.timedOut, "\(peer) takes nothing")
            }
        }
    }

    func waitWritable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(writer == nil, "two tasks wait to write to one connection")
        writeDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { writer = $0 }
    }

    /// Sends what the TLS layer has to say of its own accord.
    func flushTLS() {
        guard let tls, tls.hasOutgoing else { return }
        settle(output.write(tls.takeOutgoing(), [], to: descriptor))
    }

    func settle(_ outcome: OutputQueue.Outcome) {
        if case .failed = outcome { failWriting() }
    }

    /// The peer takes no more; what it sent before may still be read.
    private func failWriting() {
        writeFailed = true
        hungUp = true
        mayRead = true
        output.removeAll()
        wakeWriter(.closed)
        if reader != nil { wakeReader(.ready) } else { announceHangUp() }
    }

    // MARK: Closing

    /// Closes at once; queued bytes are lost, whoever waits is woken with `.closed`.
    package func close() {
        guard state != .closed else { return }
        state = .closed
        timer?.cancel()
        timer = nil
        loop.remove(descriptor: descriptor)
        System.close(descriptor)
        output.removeAll()
        tls = nil
        wakeReader(.closed)
        wakeWriter(.closed)
        onPeerClose = nil
        let closed = onClosed
        onClosed = nil
        closed?()
    }

    /// Wakes whoever waits in `fill` or `drained` with `.closed`, and closes.
    package func abort() { close() }

    /// Lets what is queued leave, says goodbye and closes; takes at most 12 seconds.
    package func closeAfterWriting() {
        guard state == .open else { return }
        guard !writeFailed else { return close() }
        tls?.endStream()
        flushTLS()
        state = .finishing
        wakeReader(.closed)
        wakeWriter(.closed)
        timer?.cancel()
        timer = loop.schedule(after: .seconds(10)) { self.close() }
        linger()
    }

    /// The second and third step of closing in peace.
    private func linger() {
        if state == .finishing {
            guard output.isEmpty else { return }
            state = .lingering
            System.shutdownWriting(descriptor)
            timer?.cancel()
            timer = loop.schedule(after: .seconds(2)) { self.close() }
        }
        while true {
            let count = System.read(descriptor, loop.scratch)
            if count > 0 { continue }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            return close()
        }
    }

    // MARK: Waking

    private func wakeReader(_ wake: Wake) {
        let waiting = reader
        reader = nil
        readDeadline = nil
        waiting?.resume(returning: wake)
    }

    private func wakeWriter(_ wake: Wake) {
        let waiting = writer
        writer = nil
        writeDeadline = nil
        waiting?.resume(returning: wake)
    }

    private func announceHangUp() {
        guard hungUp, !announced, state == .open, reader == nil, onPeerClose != nil else { return }
        loop.executeHere { [self] in
            guard !announced, state == .open, reader == nil, let call = onPeerClose else { return }
            announced = true
            call()
        }
    }

    private func arm(_ deadline: ContinuousClock.Instant?) {
        guard let deadline else { return }
        if let timer, timer.deadline <= deadline { return }
        timer?.cancel()
        timer = loop.schedule(at: deadline) { [self] in expire() }
    }

    private func expire() {
        timer = nil
        if let deadline = readDeadline, deadline <= loop.now { wakeReader(.timedOut) }
        if let deadline = writeDeadline, deadline <= loop.now { wakeWriter(.timedOut) }
        if let deadline = readDeadline { arm(deadline) }
        if let deadline = writeDeadline { arm(deadline) }
    }
}

extension Connection: Pollable {
    func ready(_ readiness: Readiness) {
        if readiness.contains(.hungUp) { hungUp = true }
        if readiness.contains(.writable) {
            if !output.isEmpty { settle(output.flush(to: descriptor)) }
            if state == .open, output.count < max(1, writeThreshold) { wakeWriter(.ready) }
        }
        if readiness.contains(.readable) {
            mayRead = true
            if reader != nil { wakeReader(.ready) } else if hungUp { announceHangUp() }
        }
        if state == .finishing || state == .lingering { linger() }
    }

    func loopEnds() { close() }
}
