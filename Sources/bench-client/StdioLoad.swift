import Network
import Synchronization

/// One child, and a number of calls in flight to it.
final class StdioLoad: Sendable {
    private static let firstID = 10_000_000

    private struct State {
        var tally = Tally()
        var request: Request
        var starts: [Int: UInt64] = [:]
        var nextID = StdioLoad.firstID
        var left: Int
        var deadline = UInt64.max
        var isOpening = true
        var child: ChildProcess?
    }

    private let options: Options
    private let done = Mailbox<String>(capacity: 1)
    private let state: Mutex<State>

    init(_ options: Options) {
        self.options = options
        state = Mutex(State(request: Request.message(options.work, tool: options.tool, options.era), left: options.count ?? Int.max))
    }

    /// Returns the summary.
    func run(on loop: EventLoop) async -> String {
        let events = ChildEvents(
            onLine: { [self] line in state.withLock { receive(line, &$0) } },
            onExit: { [self] exit in fail("the program \(exit)") })
        var opening = options.era == .modern ? Request.discover() : Request.initialize()
        opening.setID(Self.firstID)
        do throws(NetworkError) {
            let command = ChildCommand(executable: options.program[0], arguments: Array(options.program.dropFirst()), environment: Environment.all)
            let child = try ChildProcess.spawn(command, on: loop, lineBytesMax: 64 << 20, queuedBytesMax: 64 << 20, events: events)
            state.withLock { $0.child = child }
            _ = child.send(line: opening.bytes)
            let summary = await done.next() ?? ""
            state.withLock { $0.child = nil }
            await child.terminate(grace: .seconds(2))
            return summary
        } catch {
            fail("\(error)")
            return await done.next() ?? ""
        }
    }

    private func fail(_ text: String) {
        state.withLock { state in
            state.tally.record(error: text)
            finish(&state)
        }
    }

    private func receive(_ line: [UInt8], _ state: inout State) {
        guard let id = Answer.id(of: line) else { return }
        if state.isOpening {
            state.isOpening = false
            if options.era == .legacy { _ = state.child?.send(line: Array(Request.initialized.utf8)) }
            state.tally.begin()
            if options.count == nil { state.deadline = Tally.now() + UInt64(options.seconds * 1e9) }
            for _ in 0..<options.clients { send(&state, Tally.now()) }
            return
        }
        guard let start = state.starts.removeValue(forKey: id) else { return }
        let now = Tally.now()
        if line.withUnsafeBytes({ Answer.isResult($0, id: id) }) {
            state.tally.record(now - start)
        } else {
            state.tally.record(error: String(decoding: line.prefix(200), as: UTF8.self))
        }
        if now < state.deadline, state.left > 0 { send(&state, now) } else if state.starts.isEmpty { finish(&state) }
    }

    private func send(_ state: inout State, _ now: UInt64) {
        guard state.left > 0 else { return }
        state.left -= 1
        state.nextID += 1
        state.request.setID(state.nextID)
        state.starts[state.nextID] = now
        if state.child?.send(line: state.request.bytes) != true { state.tally.record(error: "the program takes no more") }
    }

    private func finish(_ state: inout State) {
        state.tally.finish()
        let pid = state.child.map { "\($0.pid)" } ?? "0"
        _ = done.send(state.tally.summary([("pid", pid)]))
    }
}
