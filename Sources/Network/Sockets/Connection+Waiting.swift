extension Connection {
    func waitReadable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(reader == nil, "two tasks read from one connection")
        readDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { continuation in
            // What happened between the caller's look and here must not be lost.
            guard state == .open else { return continuation.resume(returning: .closed) }
            if mayRead { return continuation.resume(returning: .ready) }
            if let deadline, loop.now >= deadline { return continuation.resume(returning: .timedOut) }
            reader = continuation
        }
    }

    func waitWritable(until deadline: ContinuousClock.Instant?) async -> Wake {
        precondition(writer == nil, "two tasks wait to write to one connection")
        writeDeadline = deadline
        arm(deadline)
        return await withUnsafeContinuation { continuation in
            guard !isClosed else { return continuation.resume(returning: .closed) }
            if output.count < writeThreshold { return continuation.resume(returning: .ready) }
            if let deadline, loop.now >= deadline { return continuation.resume(returning: .timedOut) }
            writer = continuation
        }
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
