import Network

/// A program of the demo: an upstream that runs by itself, or a command that prints one line.
struct DemoProcess: Sendable {
    private let child: ChildProcess
    private let output: Mailbox<String>
    private let log: Mailbox<String>

    init(_ program: String, _ arguments: [String], environment: [(String, String)] = [], in folder: String, on loop: EventLoop) throws {
        let (output, log) = (Mailbox<String>(capacity: 64), Mailbox<String>(capacity: 64))
        let events = ChildEvents(
            onLine: { _ = output.send(String(decoding: $0, as: UTF8.self)) }, onLog: { _ = log.send($0) },
            onExit: { _ in
                output.close()
                log.close()
            })
        let inherited = Configured.environment.map { ($0.key, $0.value) }
        let command = ChildCommand(executable: program, arguments: arguments, environment: inherited + environment, directory: folder)
        child = try ChildProcess.spawn(command, on: loop, lineBytesMax: 65_536, queuedBytesMax: 65_536, events: events)
        (self.output, self.log) = (output, log)
    }

    /// The next line of its standard output.
    func line() async -> String? {
        guard case .element(let line) = await output.next(within: .seconds(10)) else { return nil }
        return line
    }

    /// The address that a sample server says it listens on.
    func address() async -> String? {
        while case .element(let line) = await log.next(within: .seconds(10)) {
            if let start = line.firstRange(of: "http://") { return String(line[start.lowerBound...]) }
        }
        return nil
    }

    /// The next lines of its standard error.
    func lines(_ count: Int) async -> [String] {
        var lines: [String] = []
        while lines.count < count, case .element(let line) = await log.next(within: .seconds(2)) { lines.append(line) }
        return lines
    }

    func end() async { await child.terminate(grace: .seconds(1)) }
}
