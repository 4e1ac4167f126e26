import CShims
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One thread with one poller; both a `TaskExecutor` and a `SerialExecutor`, with one actor on it.
///
/// A task that is started with `task` or `spawn` never leaves the thread: it has the loop as its preference *and* runs
/// isolated to the loop's actor. (A plain `Task {}` inside does leave; so does a detached one.) What is marked "on the loop" below
/// traps elsewhere or is undefined. A stopped loop drops what is handed to it; the object itself is never freed, so that a task which
/// wakes too late still has an executor.
package final class EventLoop: TaskExecutor, SerialExecutor, @unchecked Sendable {
    private enum Item {
        case job(UnownedJob)
        case work(() -> Void)
    }

    /// What other threads have left.
    private struct Inbox: ~Copyable {
        var items: [Item] = []
        var rung = false
        var stopping = false
        var ended = false
    }

    package let name: String
    private let isolation = LoopActor()
    private let poller = Poller()
    private let inbox = Mutex(Inbox())

    // On the loop only.
    private var items: [Item] = []
    private var spare: [Item] = []
    private var table = PollTable()
    private var timers = TimerHeap()
    /// The time of the last poll; cheap.
    package private(set) var now = ContinuousClock.now
    /// Shared by all streams of the loop, so that an idle one needs no buffer.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    /// The same for pipes, whose bytes are handed to callbacks that may touch a connection.
    let pipeScratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

    /// Starts the thread.
    package init(name: String) {
        self.name = name
        Signals.ignoreBrokenPipes()
        isolation.loop = self
        startThread()
    }

    /// The loop whose thread this is.
    package static var current: EventLoop? {
        shim_current_loop().map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    package var isCurrent: Bool { shim_current_loop() == Unmanaged.passUnretained(self).toOpaque() }

    // MARK: Tasks

    /// Starts a task that runs on this loop, isolated to its actor. Any thread.
    @discardableResult
    package func task(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { [isolation] in await isolation.run(body) }
    }

    /// Starts a task as `task` does, with values that are not Sendable. On the loop.
    ///
    /// They are handed over and not captured: a closure that captures them is formed without the isolation that it will run under, and
    /// then every await in it switches executors there and back.
    @discardableResult
    package func spawn<Value>(with value: Value, _ body: @escaping @Sendable (Value) async -> Void) -> Task<Void, Never> {
        precondition(isCurrent, "spawn is for the loop's own thread")
        let carried = Carried(value: value)
        return task { await body(carried.value) }
    }

    /// Does the work soon on the loop, after what was handed in before. Any thread.
    package func execute(_ work: @escaping @Sendable () -> Void) { put(.work(work)) }

    /// The same for captures that are not Sendable. On the loop.
    func executeHere(_ work: @escaping () -> Void) { items.append(.work(work)) }

    package func enqueue(_ job: consuming ExecutorJob) { put(.job(UnownedJob(job))) }

    package func checkIsolated() { precondition(isCurrent, "not on the loop \(name)") }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    private func put(_ item: Item) {
        if isCurrent {
            items.append(item)
            return
        }
        let carried = Carried(value: item)
        inbox.withLock { inbox in
            guard !inbox.ended else { return }
            inbox.items.append(carried.value)
            if !inbox.rung {
                inbox.rung = true
                poller.ring()
            }
        }
    }

    // MARK: Time

    /// Does the work once, not before the duration has passed. On the loop.
    package func schedule(after delay: Duration, _ work: @escaping () -> Void) -> LoopTimer {
        schedule(at: now.advanced(by: delay), work)
    }

    func schedule(at deadline: ContinuousClock.Instant, _ work: @escaping () -> Void) -> LoopTimer {
        precondition(isCurrent, "schedule is for the loop's own thread")
        let timer = LoopTimer(deadline: deadline, loop: self, work: work)
        timers.insert(timer)
        return timer
    }

    func forget(_ timer: LoopTimer) { timers.remove(timer) }

    // MARK: Descriptors

    /// Registers a descriptor and keeps the pollable until `remove`; returns 0 or an error number. On the loop.
    func add(_ pollable: any Pollable, descriptor: Int32, interest: Readiness) -> Int32 {
        let token = table.insert(pollable, at: descriptor)
        let error = poller.add(descriptor, token: token, interest: interest)
        if error != 0 { table.remove(descriptor) }
        return error
    }

    /// Call it before closing the descriptor. On the loop.
    func remove(descriptor: Int32) {
        table.remove(descriptor)
        poller.remove(descriptor)
    }

    // MARK: The thread

    /// Ends the thread: streams are closed, timers dropped, whoever waits is woken. Any thread; does not wait.
    package func stop() {
        inbox.withLock { inbox in
            guard !inbox.ended else { return }
            inbox.stopping = true
            poller.ring()
        }
    }

    private func startThread() {
        let context = Unmanaged.passRetained(self).toOpaque()
        #if canImport(Glibc)
            var thread = pthread_t()
            let error = pthread_create(&thread, nil, { EventLoop.main($0) }, context)
        #else
            var thread: pthread_t?
            let error = pthread_create(&thread, nil, { EventLoop.main($0) }, context)
        #endif
        precondition(error == 0, "a thread could not be started: \(NetworkError.text(of: error))")
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        shim_set_current_loop(context)
        let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
        shim_name_thread(loop.name)
        loop.run()
        shim_set_current_loop(nil)
        return nil
    }

    private func run() {
        now = .now
        while !collect() {
            runItems()
            poller.wait(milliseconds: patience()) { token, readiness in
                table.pollable(of: token)?.ready(readiness)
            }
            now = .now
            while let timer = timers.popDue(at: now) { timer.fire() }
        }
        end()
    }

    /// Takes over what other threads have left; true when the loop shall stop.
    private func collect() -> Bool {
        let (arrived, stopping) = inbox.withLock { inbox in
            inbox.rung = false
            let arrived = Carried(value: inbox.items)
            inbox.items = []
            return (arrived, inbox.stopping)
        }
        if !arrived.value.isEmpty { items.append(contentsOf: arrived.value) }
        return stopping
    }

    /// Runs what is queued and what that queues, for some rounds, so that sockets get their turn.
    private func runItems() {
        for _ in 0..<32 where !items.isEmpty {
            swap(&items, &spare)
            for item in spare {
                switch item {
                case .job(let job):
                    job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
                case .work(let work): work()
                }
            }
            spare.removeAll(keepingCapacity: spare.capacity <= 4096)
        }
    }

    /// Milliseconds until the next timer, rounded up; -1 when there is none.
    private func patience() -> Int32 {
        guard items.isEmpty else { return 0 }
        guard let first = timers.first else { return -1 }
        let left = ContinuousClock.now.duration(to: first.deadline).components
        if left.seconds < 0 || left.attoseconds < 0 { return 0 }
        if left.seconds > 3600 { return 3_600_000 }
        return Int32(left.seconds) * 1000 + Int32((left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    private func end() {
        for _ in 0..<8 {
            for pollable in table.all { pollable.loopEnds() }
            while let timer = timers.popAny() { timer.fire() }
            runItems()
            _ = collect()
        }
        inbox.withLock { inbox in
            inbox.ended = true
            inbox.items = []
            poller.close()
        }
        scratch.deallocate()
        pipeScratch.deallocate()
    }
}
