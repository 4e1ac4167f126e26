import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Small MCP servers of our own: for the demo, the tests, the bench, and to try a client or a gateway with.
@main
struct Program {
    static func main() {
        switch Options.read(Array(CommandLine.arguments.dropFirst())) {
        case .help: say(Options.help, to: 1)
        case .wrong(let problem):
            say("sample-server: \(problem); see sample-server --help\n")
            exit(2)
        case .options(let options): run(options)
        }
    }

    private static func run(_ options: Options) {
        let loops = LoopGroup(count: 1, name: "sample-server")
        let server = options.kind.server(options)
        switch options.transport {
        case .stdio: Input.serve(server, on: loops.loops[0]) { exit(0) }
        case .http:
            let service = HTTPService(server, bearer: bearerCheck(options))
            listen(options, "/mcp", on: loops) { await service.handle($0) }
        case .sse:
            let service = SSEService(server)
            listen(options, "/sse", on: loops) { await service.handle($0) }
        }
        while true { pause() }
    }

    private static func listen(_ options: Options, _ path: String, on loops: LoopGroup, handler: @escaping @Sendable (HTTPExchange) async -> Void) {
        if options.endsWithInput { _ = Input.watch(on: loops.loops[0]) { exit(0) } }
        do throws(NetworkError) {
            let port = try HTTPServer(loops: loops, handler: handler).listen(host: options.host, port: options.port)
            let host = options.host.contains(":") ? "[\(options.host)]" : options.host
            say("listening on http://\(host):\(port)\(path)\n")
        } catch {
            say("sample-server: \(error)\n")
            exit(1)
        }
    }

    private static func bearerCheck(_ options: Options) -> BearerCheck {
        var token: String?
        if let name = options.bearerVariable {
            token = getenv(name).map { String(cString: $0) } ?? ""
            guard token != "" else {
                say("sample-server: \(name) is not set\n")
                exit(2)
            }
        }
        guard options.showsAuthorization else { return BearerCheck(token: token, show: nil) }
        return BearerCheck(token: token) { say($0) }
    }

    private static func say(_ text: String, to descriptor: Int32 = 2) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
}
