import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes lines to a descriptor from any thread, directly when it takes them, else from a bounded queue.
final class LineWriter: Pollable, @unchecked Sendable {
    private struct State {
        var queue = OutputQueue()
        var isOpen = true
        var endsWhenEmpty = false
        var waiters: [Mailbox<Bool>] = []
    }

    private let descriptor: Int32
    private let loop: EventLoop
    private let ownsDescriptor: Bool
    private let queuedBytesMax: Int
    private let state = Mutex(State())
    /// On the loop.
    private var isRegistered = false

    init(descriptor: Int32, loop: EventLoop, ownsDescriptor: Bool, queuedBytesMax: Int) {
        self.descriptor = descriptor
        self.loop = loop
        self.ownsDescriptor = ownsDescriptor
        self.queuedBytesMax = queuedBytesMax
    }

    /// Registers a descriptor that does not block; needed before anything can be queued. On the loop.
    func start() {
        guard state.withLock({ $0.isOpen }) else { return }
        isRegistered = loop.add(self, descriptor: descriptor, interest: .writable) == 0
        flush()
    }

    /// Appends a newline; false when the queue is full or the other side is gone. A line larger than the whole queue passes when it is empty.
    func send(line: [UInt8]) -> Bool {
        let (taken, waiters) = state.withLock { state -> (Bool, [Mailbox<Bool>]) in
            guard state.isOpen, !state.endsWhenEmpty else { return (false, []) }
            guard state.queue.isEmpty || state.queue.count + line.count < queuedBytesMax else { return (false, []) }
            guard case .failed = state.queue.write(line, [10], to: descriptor) else { return (true, []) }
            return (false, fail(&state))
        }
        waiters.forEach { $0.close() }
        return taken
    }

    /// Waits until all is written; false when it was not in time.
    func drained(within limit: Duration) async -> Bool {
        let waiter = Mailbox<Bool>(capacity: 1)
        let isDone = state.withLock { state in
            guard state.isOpen, !state.queue.isEmpty else { return true }
            state.waiters.append(waiter)
            return false
        }
        guard !isDone else { return true }
        _ = await waiter.next(within: limit)
        return state.withLock { state in
            state.waiters.removeAll { $0 === waiter }
            return state.queue.isEmpty
        }
    }

    /// Ends the stream once the queue is empty. Any thread.
    func endWhenEmpty() {
        state.withLock { $0.endsWhenEmpty = true }
        loop.execute { [self] in flush() }
    }

    /// Ends the stream now. On the loop.
    func end() {
        let waiters = state.withLock { state in
            let waiters = fail(&state)
            return waiters
        }
        waiters.forEach { $0.close() }
        release()
    }

    func ready(_: Readiness) { flush() }

    func loopEnds() { end() }

    private func flush() {
        let (isOver, waiters) = state.withLock { state -> (Bool, [Mailbox<Bool>]) in
            guard state.isOpen else { return (true, []) }
            switch state.queue.flush(to: descriptor) {
            case .blocked: return (false, [])
            case .failed: return (true, fail(&state))
            case .empty:
                let waiters = state.waiters
                state.waiters = []
                if state.endsWhenEmpty { state.isOpen = false }
                return (state.endsWhenEmpty, waiters)
            }
        }
        waiters.forEach { $0.close() }
        if isOver { release() }
    }

    private func fail(_ state: inout State) -> [Mailbox<Bool>] {
        state.isOpen = false
        state.queue.removeAll()
        let waiters = state.waiters
        state.waiters = []
        return waiters
    }

    /// Nobody writes any more, so the descriptor may go.
    private var isReleased = false
    private func release() {
        guard !isReleased else { return }
        isReleased = true
        if isRegistered { loop.remove(descriptor: descriptor) }
        if ownsDescriptor { System.close(descriptor) }
    }
}
