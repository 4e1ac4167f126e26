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
    package internal(set) var idleSince: ContinuousClock.Instant
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
    var announced = false
    var writeFailed = false
    var reader: UnsafeContinuation<Wake, Never>?
    var readDeadline: ContinuousClock.Instant?
    var writer: UnsafeContinuation<Wake, Never>?
    var writeDeadline: ContinuousClock.Instant?
    var writeThreshold = 0
    /// One timer for all waits, left running when a wait ends early: most reads neither set nor cancel one.
    var timer: LoopTimer?

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
        if state == .finishing || state == .lingering { lingerOn() }
    }

    func loopEnds() { close() }
}
