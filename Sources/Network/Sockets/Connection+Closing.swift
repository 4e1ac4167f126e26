#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Connection {
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
        lingerOn()
    }

    /// The second and third step of closing in peace.
    func lingerOn() {
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
}
