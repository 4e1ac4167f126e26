import Synchronization

/// A bounded queue with many producers, on any thread, and one consumer, a task of any loop.
package final class Mailbox<Element: Sendable>: Sendable {
    package enum Received: Sendable {
        case element(Element)
        case timedOut
        /// Closed and empty.
        case closed
    }

    private struct State {
        var elements: [Element?] = []
        var head = 0
        var isClosed = false
        var consumer: UnsafeContinuation<Received, Never>?
        /// Numbers the waits, so that a timer of an earlier one does not end a later one.
        var wait: UInt64 = 0
        /// How a wait ended that had not quite begun.
        var early: (wait: UInt64, received: Received)?

        mutating func pop() -> Element? {
            guard head < elements.count, let element = elements[head] else { return nil }
            elements[head] = nil
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: elements.capacity <= 64)
                head = 0
            } else if head >= 64, head > elements.count / 2 {
                elements.removeFirst(head)
                head = 0
            }
            return element
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int) { self.capacity = capacity }

    /// False when the mailbox is full or closed; the element is dropped.
    @discardableResult
    package func send(_ element: Element) -> Bool {
        let (taken, consumer) = state.withLock { state -> (Bool, UnsafeContinuation<Received, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            if let consumer = state.consumer {
                state.consumer = nil
                return (true, consumer)
            }
            guard state.elements.count - state.head < capacity else { return (false, nil) }
            state.elements.append(element)
            return (true, nil)
        }
        consumer?.resume(returning: .element(element))
        return taken
    }

    /// Takes no more; what is queued can still be received.
    package func close() {
        let consumer = state.withLock { state in
            state.isClosed = true
            let consumer = state.consumer
            state.consumer = nil
            return consumer
        }
        consumer?.resume(returning: .closed)
    }

    /// Waits for an element; nil when the mailbox is closed and empty.
    package func next() async -> Element? {
        if case .element(let element) = await receive(within: nil) { return element }
        return nil
    }

    /// The same with a limit to the wait.
    package func next(within limit: Duration) async -> Received { await receive(within: limit) }

    private func receive(within limit: Duration?) async -> Received {
        let (ready, wait) = state.withLock { state -> (Received?, UInt64) in
            if let element = state.pop() { return (.element(element), 0) }
            if state.isClosed { return (.closed, 0) }
            state.wait += 1
            return (nil, state.wait)
        }
        if let ready { return ready }
        let alarm = limit.map { Alarm(after: $0) { self.end(wait, .timedOut) } }
        let received = await withUnsafeContinuation { continuation in self.park(continuation, wait) }
        alarm?.cancel()
        return received
    }

    private func park(_ continuation: UnsafeContinuation<Received, Never>, _ wait: UInt64) {
        let ready = state.withLock { state -> Received? in
            if let element = state.pop() { return .element(element) }
            if state.isClosed { return .closed }
            if let early = state.early, early.wait == wait { return early.received }
            precondition(state.consumer == nil, "two tasks receive from one mailbox")
            state.consumer = continuation
            return nil
        }
        if let ready { continuation.resume(returning: ready) }
    }

    private func end(_ wait: UInt64, _ received: Received) {
        let consumer = state.withLock { state -> UnsafeContinuation<Received, Never>? in
            guard state.wait == wait else { return nil }
            guard let consumer = state.consumer else {
                state.early = (wait, received)
                return nil
            }
            state.consumer = nil
            return consumer
        }
        consumer?.resume(returning: received)
    }
}

/// A timer of the current loop, or of a sleeping task where there is none.
private struct Alarm {
    private var timer: LoopTimer?
    private var task: Task<Void, Never>?

    init(after delay: Duration, _ ring: @escaping @Sendable () -> Void) {
        if let loop = EventLoop.current {
            timer = loop.schedule(after: delay, ring)
        } else {
            task = Task {
                do { try await Task.sleep(for: delay) } catch { return }
                ring()
            }
        }
    }

    func cancel() {
        timer?.cancel()
        task?.cancel()
    }
}
