/// The command line.
struct Options {
    enum Command: String, CaseIterable {
        case http, stdio, sessions
        case firstAnswer = "first-answer"
    }

    enum Reading {
        case options(Options)
        case help
        /// What is wrong with the command line.
        case wrong(String)
    }

    static let help = """
        bench-client COMMAND [options]: measures an MCP server and prints one line of JSON

          http --url URL                 many clients, each with its own connection, one call after the other
          stdio -- PROGRAM [ARGUMENT…]   one child, a number of calls in flight
          sessions --url URL             opens legacy sessions, each with a stream, prints when they are open, holds them until standard input ends
          first-answer -- PROGRAM […]    the time from the start of a program to its first answer

          --era modern|legacy            2026-07-28 (default) or 2025-11-25
          --work call|large|list         tool “echo” (default), tool “large”, or tools/list
          --tool NAME                    the tool's name, where it is another one
          --token TOKEN                  after --url: a bearer token to be shown
          --clients N                    http: connections; stdio: calls in flight; 1 to 1000 (default 1)
          --seconds S, --count N         how long, or how many calls; default 3 seconds
          --sessions N                   how many sessions, or how many starts for first-answer (default 10)

        """

    var command: Command
    var target: Target?
    var program: [String] = []
    var era = Era.modern
    var work = Work.call
    var tool: String?
    var clients = 1
    var seconds = 3.0
    var count: Int?
    var sessions = 10

    static func read(_ arguments: [String]) -> Reading {
        if arguments.first == "--help" || arguments.first == "-h" { return .help }
        guard let first = arguments.first else { return .wrong("a command is missing") }
        guard let command = Command(rawValue: first) else { return .wrong("there is no command “\(first)”") }
        var options = Options(command: command)
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            if name == "--" {
                options.program = Array(rest)
                break
            }
            guard let value = rest.popFirst() else { return .wrong("\(name) needs a value") }
            if let problem = options.set(name, value) { return .wrong(problem) }
        }
        switch command {
        case .http, .sessions: if options.target == nil { return .wrong("--url is missing") }
        case .stdio, .firstAnswer: if options.program.isEmpty { return .wrong("-- PROGRAM is missing") }
        }
        return .options(options)
    }

    /// What is wrong with the option; nil when it is taken.
    private mutating func set(_ name: String, _ value: String) -> String? {
        func number(in range: ClosedRange<Int>) -> Int? { Int(value).flatMap { range.contains($0) ? $0 : nil } }
        switch name {
        case "--url":
            guard let target = Target(value) else { return "--url is http://HOST:PORT/PATH" }
            self.target = target
        case "--era":
            guard let era = Era(rawValue: value) else { return "--era is modern or legacy" }
            self.era = era
        case "--work":
            guard let work = Work(rawValue: value) else { return "--work is call, large or list" }
            self.work = work
        case "--tool": tool = value
        case "--token": target?.token = value
        case "--clients":
            guard let clients = number(in: 1...1000) else { return "--clients is a number from 1 to 1000" }
            self.clients = clients
        case "--seconds":
            guard let seconds = Double(value), (0.01...3600).contains(seconds) else { return "--seconds is a number from 0.01 to 3600" }
            self.seconds = seconds
        case "--count":
            guard let count = number(in: 1...100_000_000) else { return "--count is a number from 1 to 100000000" }
            self.count = count
        case "--sessions":
            guard let sessions = number(in: 1...100_000) else { return "--sessions is a number from 1 to 100000" }
            self.sessions = sessions
        default: return "unknown option “\(name)”"
        }
        return nil
    }
}

/// Where the requests go.
struct Target: Sendable {
    let host: String
    let port: UInt16
    let path: String
    /// The bearer token that is shown with every request.
    var token: String?

    /// `http://HOST:PORT/PATH`; nil for anything else.
    init?(_ url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
        host = String(parts[0])
        self.port = port
        path = authority.endIndex == rest.endIndex ? "/" : String(rest[authority.endIndex...])
    }
}
