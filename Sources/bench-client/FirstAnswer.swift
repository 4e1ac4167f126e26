import Network

/// The time from the start of a program to its first answer, on standard output.
enum FirstAnswer {
    /// Starts it a number of times, one after the other.
    static func run(_ options: Options, on loop: EventLoop) async -> String {
        var tally = Tally()
        tally.begin()
        var opening = options.era == .modern ? Request.discover() : Request.initialize()
        opening.setID(10_000_000)
        let command = ChildCommand(executable: options.program[0], arguments: Array(options.program.dropFirst()), environment: Environment.all)
        for _ in 0..<options.sessions {
            let first = Mailbox<Bool>(capacity: 8)
            let events = ChildEvents(onLine: { _ = first.send(Answer.id(of: $0) != nil) }, onExit: { _ in first.close() })
            let start = Tally.now()
            do throws(NetworkError) {
                let child = try ChildProcess.spawn(command, on: loop, lineBytesMax: 64 << 20, queuedBytesMax: 1 << 20, events: events)
                _ = child.send(line: opening.bytes)
                if case .element(true) = await first.next(within: .seconds(30)) {
                    tally.record(Tally.now() - start)
                } else {
                    tally.record(error: "no answer")
                }
                await child.terminate(grace: .seconds(2))
            } catch {
                tally.record(error: "\(error)")
            }
        }
        tally.finish()
        return tally.summary()
    }
}
