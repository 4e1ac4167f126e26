/// The command line.
struct Options {
    enum Transport: String, CaseIterable {
        case stdio, http, sse
    }

    enum Reading {
        case options(Options)
        case help
        /// What is wrong with the command line.
        case wrong(String)
    }

    static let help = """
        sample-server KIND [options]: a small MCP server, to try things with

        \(Kind.allCases.map { "  " + $0.rawValue + String(repeating: " ", count: 12 - $0.rawValue.count) + $0.summary }.joined(separator: "\n"))

          --transport stdio|http|sse     stdio (default), streamable HTTP, or HTTP+SSE of 2024-11-05
          --era legacy|modern|both       2025-11-25 and older, 2026-07-28, or both (default)
          --host ADDRESS, --port N       where HTTP listens: 127.0.0.1, and any free port (0); it is printed on standard error
          --tools COUNT                  bench: how many tools are listed, 2 to 100000
          --page-size COUNT              how many tools a page of the list holds; default: all
          --bearer-from NAME             HTTP: admit only who brings the token in that variable of the environment
          --show-authorization           HTTP: print on standard error what each call came with
          --until-input-ends             HTTP: end when standard input does, for those who start it as a child

        """

    var kind: Kind
    var transport = Transport.stdio
    var eras = Eras.both
    var host = "127.0.0.1"
    var port = 0
    var toolCount = 2
    var pageSize: Int?
    var endsWithInput = false
    var bearerVariable: String?
    var showsAuthorization = false

    static func read(_ arguments: [String]) -> Reading {
        if arguments.contains(where: { $0 == "--help" || $0 == "-h" }) { return .help }
        guard let first = arguments.first else { return .wrong("a kind of server is missing") }
        guard let kind = Kind(rawValue: first) else { return .wrong("there is no server “\(first)”") }
        var options = Options(kind: kind)
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            if name == "--until-input-ends" {
                options.endsWithInput = true
            } else if name == "--show-authorization" {
                options.showsAuthorization = true
            } else if let problem = options.set(name, rest.popFirst()) {
                return .wrong(problem)
            }
        }
        if options.transport == .sse, !options.eras.speaksLegacy { return .wrong("HTTP+SSE is of the legacy era only") }
        return .options(options)
    }

    /// What is wrong with the option; nil when it is taken.
    private mutating func set(_ name: String, _ value: String?) -> String? {
        func number(in range: ClosedRange<Int>) -> Int? { value.flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil } }
        switch name {
        case "--transport":
            guard let choice = value.flatMap(Transport.init) else { return "--transport is stdio, http or sse" }
            transport = choice
        case "--era":
            guard let choice = value.flatMap(Eras.init) else { return "--era is legacy, modern or both" }
            eras = choice
        case "--host":
            guard let value else { return "--host needs an address" }
            host = value
        case "--port":
            guard let choice = number(in: 0...65535) else { return "--port is a number from 0 to 65535" }
            port = choice
        case "--tools":
            guard let choice = number(in: 2...100_000) else { return "--tools is a number from 2 to 100000" }
            toolCount = choice
        case "--page-size":
            guard let choice = number(in: 1...100_000) else { return "--page-size is a number from 1 to 100000" }
            pageSize = choice
        case "--bearer-from":
            guard let value else { return "--bearer-from needs the name of a variable" }
            bearerVariable = value
        default: return "unknown option “\(name)”"
        }
        return nil
    }
}
