import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A load generator for MCP servers, cheap enough not to be what is measured.
@main
struct Program {
    static func main() {
        switch Options.read(Array(CommandLine.arguments.dropFirst())) {
        case .help: print(Options.help, terminator: "")
        case .wrong(let problem):
            var text = "bench-client: \(problem); see bench-client --help\n"
            text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
            exit(2)
        case .options(let options): run(options)
        }
    }

    private static func run(_ options: Options) {
        let loop = EventLoop(name: "bench-client")
        loop.task {
            switch (options.command, options.target) {
            case (.http, let target?): end(with: await HTTPLoad(options, target, on: loop).run())
            case (.sessions, let target?):
                let clients = await IdleSessions.open(options, target, on: loop)
                fflush(nil)
                _ = await inputEnds(on: loop)
                clients.forEach { $0.connection.close() }
                exit(0)
            case (.stdio, _): end(with: await StdioLoad(options).run(on: loop))
            case (.firstAnswer, _): end(with: await FirstAnswer.run(options, on: loop))
            default: exit(2)
            }
        }
        while true { pause() }
    }

    private static func end(with summary: String) -> Never {
        print(summary)
        fflush(nil)
        exit(summary.contains("\"errors\":0,") ? 0 : 1)
    }

    private static func inputEnds(on loop: EventLoop) async -> Bool {
        let ended = Mailbox<Bool>(capacity: 1)
        let channel = LineChannel(
            input: 0, output: 1, loop: loop, lineBytesMax: 1024, queuedBytesMax: 1024, onLine: { _ in }, onEnd: { _ = ended.send(true) })
        defer { channel.close() }
        return await ended.next() ?? true
    }
}
