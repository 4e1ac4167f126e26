#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Connection {
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
