extension Connection {
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
}
