#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Connection {
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

    /// Waits on a server until a TLS client has shaken hands, up to the duration; at once for a connection without TLS.
    ///
    /// Throws `.timedOut`, `.closed` and `.tls`. What the client sent along stays to be read by `fill`.
    package func secured(within limit: Duration) async throws(NetworkError) {
        guard let tls else { return }
        let deadline = loop.now.advanced(by: limit)
        while !tls.isEstablished {
            guard state == .open else { throw .closed }
            switch readOnce() {
            case .bytes, .progress: continue
            case .end: throw .closed
            case .failed(let error): throw error
            case .blocked: break
            }
            switch await waitReadable(until: deadline) {
            case .ready: continue
            case .closed: throw .closed
            case .timedOut: throw NetworkError(.timedOut, "\(peer) did not finish the TLS handshake in time")
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

    enum ReadOutcome {
        case bytes
        /// Something was read that is not data: a handshake, a part of a record.
        case progress
        case blocked
        case end
        case failed(NetworkError)
    }

    /// One `read` into the loop's scratch space, decrypted if need be and appended to `input`.
    func readOnce() -> ReadOutcome {
        if let tls, tls.hasEnded { return .end }
        guard mayRead else { return .blocked }
        let scratch = loop.scratch
        let count = System.read(descriptor, scratch)
        guard count > 0 else {
            if count == 0 { return .end }
            if errno == EINTR { return .progress }
            mayRead = false
            if errno == EAGAIN { return .blocked }
            return .failed(NetworkError(.closed, "\(peer): \(NetworkError.text(of: errno))"))
        }
        // A short read has emptied the socket, so the next byte makes a new edge; an end of stream that came before does not.
        if count < scratch.count, !hungUp { mayRead = false }
        let bytes = UnsafeRawBufferPointer(rebasing: scratch[0..<count])
        guard let tls else {
            input.append(bytes)
            return .bytes
        }
        let outcome = tls.receive(bytes, into: &input)
        flushTLS()
        switch outcome {
        case .bytes: return .bytes
        case .progress: return .progress
        case .end: return .end
        case .failed(let text): return .failed(NetworkError(.tls, "\(peer): \(text)"))
        }
    }
}
