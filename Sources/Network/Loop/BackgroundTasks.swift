import Synchronization

/// Tasks that nobody waits for as long as they run, but for whose end one may have to wait before everything stops.
package final class BackgroundTasks: Sendable {
    private struct State {
        var running = 0
        var waiters: [Mailbox<Bool>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Starts one on that loop; any thread.
    package func start(on loop: EventLoop, _ work: @escaping @Sendable () async -> Void) {
        state.withLock { $0.running += 1 }
        loop.task { [self] in
            await work()
            let waiters = state.withLock { state in
                state.running -= 1
                guard state.running == 0 else { return [Mailbox<Bool>]() }
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { _ = waiter.send(true) }
        }
    }

    /// Waits until none runs; false when some still do after that time.
    @discardableResult
    package func finished(within time: Duration) async -> Bool {
        let waiter = Mailbox<Bool>(capacity: 1)
        let isIdle = state.withLock { state in
            if state.running > 0 { state.waiters.append(waiter) }
            return state.running == 0
        }
        if isIdle { return true }
        if case .element = await waiter.next(within: time) { return true }
        state.withLock { $0.waiters.removeAll { $0 === waiter } }
        return false
    }
}
