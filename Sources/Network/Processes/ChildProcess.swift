import CShims
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A child in its own session and process group that speaks in lines; always reaped, its group never outlives it.
package final class ChildProcess: @unchecked Sendable {
    private static let logLineBytesMax = 4096

    private struct State {
        var exit: ChildExit?
        var waiters: [Mailbox<Bool>] = []
    }

    package let pid: Int32
    private let loop: EventLoop
    private let events: ChildEvents
    private let writer: LineWriter
    private let outputDescriptor: Int32
    private let logDescriptor: Int32
    private let state = Mutex(State())

    // On the loop only.
    private var lines: LineSplitter
    private var logLines = LineSplitter(lineBytesMax: logLineBytesMax)
    private var output: PipeReader?
    private var log: PipeReader?
    private var watch: ExitWatch?
    private var isFinishing = false

    /// Starts the program; throws `.spawn` with a text for the operator. Blocks for a fraction of a millisecond; any thread.
    package static func spawn(
        _ command: ChildCommand, on loop: EventLoop, lineBytesMax: Int, queuedBytesMax: Int, events: ChildEvents
    ) throws(NetworkError) -> ChildProcess {
        let path = try command.locate()
        let pipes = try ChildPipes()
        do throws(NetworkError) {
            let pid = try start(command, path: path, pipes: pipes)
            pipes.closeTheirs()
            let child = ChildProcess(pid: pid, pipes: pipes, loop: loop, lineBytesMax: lineBytesMax, queuedBytesMax: queuedBytesMax, events: events)
            loop.execute { child.begin() }
            return child
        } catch {
            pipes.closeAll()
            throw error
        }
    }

    private init(pid: Int32, pipes: ChildPipes, loop: EventLoop, lineBytesMax: Int, queuedBytesMax: Int, events: ChildEvents) {
        self.pid = pid
        self.loop = loop
        self.events = events
        outputDescriptor = pipes.output.ours
        logDescriptor = pipes.log.ours
        writer = LineWriter(descriptor: pipes.input.ours, loop: loop, ownsDescriptor: true, queuedBytesMax: queuedBytesMax)
        lines = LineSplitter(lineBytesMax: lineBytesMax)
        ProcessTree.known.withLock { _ = $0.insert(pid) }
    }

    /// How it ended; nil while it runs.
    package var exit: ChildExit? { state.withLock { $0.exit } }

    /// How it ended, waiting a moment for the news; nil while it runs.
    package func exit(within limit: Duration) async -> ChildExit? {
        _ = await exited(within: limit)
        return exit
    }

    /// Appends a newline; false when too much is queued or the child takes no more. Any thread.
    package func send(line: [UInt8]) -> Bool { writer.send(line: line) }

    /// Ends the child's standard input after what is queued. Any thread.
    package func closeInput() { writer.endWhenEmpty() }

    /// Ends the child as the protocol asks: closes its input, waits, SIGTERM, waits, SIGKILL; with all its descendants that can be found.
    ///
    /// Returns when it is reaped; after a cancelled wait it goes on without waiting. MCP basic/lifecycle, "Shutdown" of stdio.
    package func terminate(grace: Duration) async {
        guard exit == nil else { return }
        var family = await ProcessTree.descendants(of: pid)
        closeInput()
        var isGone = await exited(within: grace)
        for signal in [SIGTERM, SIGKILL] where !isGone {
            family.formUnion(await ProcessTree.descendants(of: pid))
            self.signal(signal)
            ProcessTree.signal(family, signal)
            isGone = await exited(within: signal == SIGTERM ? grace : .seconds(5))
        }
        ProcessTree.signal(family, SIGKILL)
    }

    /// Signals the whole group, unless the child has been reaped and the number may be another's.
    private func signal(_ number: Int32) {
        state.withLock { state in
            if state.exit == nil { _ = kill(-pid, number) }
        }
    }

    private func exited(within limit: Duration) async -> Bool {
        let waiter = Mailbox<Bool>(capacity: 1)
        let isGone = state.withLock { state in
            if state.exit == nil { state.waiters.append(waiter) }
            return state.exit != nil
        }
        if !isGone { _ = await waiter.next(within: limit) }
        return state.withLock { state in
            state.waiters.removeAll { $0 === waiter }
            return state.exit != nil
        }
    }

    // MARK: On the loop

    private func begin() {
        writer.start()
        let output = PipeReader(
            descriptor: outputDescriptor, loop: loop, onBytes: { [self] in lines.feed($0, deliver) }, onEnd: { [self] in outputEnds() })
        let log = PipeReader(descriptor: logDescriptor, loop: loop, onBytes: { [self] in logLines.feed($0, note) }, onEnd: {})
        _ = output.start()
        _ = log.start()
        self.output = output
        self.log = log
        watch = ExitWatch(pid: pid, loop: loop, onExit: { [self] in finish() }, onLoopEnd: { [self] in abandon() })
    }

    private func deliver(_ item: LineSplitter.Item) {
        switch item {
        case .line(let line): events.onLine(line)
        case .overlong: events.onOverlongLine()
        }
    }

    private func note(_ item: LineSplitter.Item) {
        switch item {
        case .line(let line), .overlong(let line): events.onLog(String(decoding: line, as: UTF8.self))
        }
    }

    /// A child that has closed its output can answer nothing; it is not kept.
    private func outputEnds() {
        guard !isFinishing else { return }
        loop.task { [self] in
            if await !exited(within: .milliseconds(200)) { await terminate(grace: .seconds(2)) }
        }
    }

    /// The child is dead and not yet reaped, so its number, and its group's, are still its own.
    private func finish() {
        isFinishing = true
        _ = kill(-pid, SIGKILL)
        // What it wrote before it died; not without end, should someone else still write.
        output?.read(chunks: 64)
        log?.read(chunks: 64)
        release()
        lines.finish(deliver)
        logLines.finish(note)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        report(ChildExit(status: status))
        if ProcessTree.adopts { DispatchQueue.global().async { ProcessTree.reapOrphans() } }
    }

    /// The loop ends before the child.
    private func abandon() {
        isFinishing = true
        _ = kill(-pid, SIGKILL)
        release()
        let pid = pid
        DispatchQueue.global().async {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
        report(.signalled(SIGKILL))
    }

    private func release() {
        output?.stop()
        log?.stop()
        output = nil
        log = nil
        watch = nil
        writer.end()
        System.close(outputDescriptor)
        System.close(logDescriptor)
    }

    private func report(_ exit: ChildExit) {
        let waiters = state.withLock { state in
            state.exit = exit
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        ProcessTree.known.withLock { _ = $0.remove(pid) }
        waiters.forEach { $0.close() }
        events.onExit(exit)
    }
}
