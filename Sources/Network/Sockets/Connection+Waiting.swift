extension Connection {
    func waitReadable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(reader == nil, "two tasks read from one connection")
        readDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { reader = $0 }
    }

    func waitWritable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(writer == nil, "two tasks wait to write to one connection")
        writeDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { writer = $0 }
    }

    func wakeReader(_ wake: Wake) {
        let waiting = reader
        reader = nil
        readDeadline = nil
        waiting?.resume(returning: wake)
    }

    func wakeWriter(_ wake: Wake) {
        let waiting = writer
        writer = nil
        writeDeadline = nil
        waiting?.resume(returning: wake)
    }

    func announceHangUp() {
        guard hungUp, !announced, state == .open, reader == nil, onPeerClose != nil else { return }
        loop.executeHere { [self] in
            guard !announced, state == .open, reader == nil, let call = onPeerClose else { return }
            announced = true
            call()
        }
    }

    func arm(_ deadline: ContinuousClock.Instant?) {
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
