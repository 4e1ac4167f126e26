import Configuration
import Diagnostics
import Gateway
import Network

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let serve = Command(
        name: "serve",
        help: """
            Serve every virtual server over HTTP.

            Usage: switchboard serve [--config FILE] [--listen HOST:PORT]

            \(Help.config)
              --listen H:P    listen there instead of where the configuration says (default: 127.0.0.1:8080)

            Clients connect to   http://HOST:PORT/NAME/mcp    streamable HTTP, every protocol revision
                                 http://HOST:PORT/NAME/sse    HTTP+SSE, for clients of 2024-11-05
            Operators look at    /healthz                     the process is up
                                 /readyz                      the configuration and each upstream's state

            The configuration is read again when a file changes or on SIGHUP; one with a mistake is refused, and the
            old one goes on serving. SIGTERM lets running calls finish, then ends.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "serve", values: ["--config", "--listen"])
        try words.expect(rest: 0...0, "")
        var listen: [ListenAddress]?
        if let text = words["--listen"] {
            do throws(ConfigurationError) {
                listen = [try ListenAddress(parsing: text, at: SourcePosition(file: "--listen", line: 1, column: 1))]
            } catch {
                throw UsageError("--listen \(text): \(error.problem.what)", hint: error.problem.fix)
            }
        }
        guard let (path, settings, watch) = Configured.settings(words) else { return 1 }
        for address in listen ?? [] {
            if let refusal = settings.refusal(of: address) { throw UsageError("--listen \(address.authority): \(refusal.what)", hint: refusal.fix) }
        }
        let count = max(1, ProcessInfo.processInfo.activeProcessorCount)
        return onLoops(count: count) { [listen] loops in
            do {
                let service = try HTTPService(
                    settings, configuration: path, watch: watch, listen: listen, environment: Configured.environment, loops: loops)
                for server in settings.virtualServers {
                    Log("gateway").info("virtual server \(server.name) at \(service.scheme)://\(service.addresses[0].authority)/\(server.name)/mcp")
                }
                await service.run()
                return 0
            } catch {
                printError("can't serve: \(error)")
                return 1
            }
        }
    }
}
