import Auth
import Configuration
import Diagnostics
import Gateway
import Network
import Transport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Command {
    static let stdio = Command(
        name: "stdio",
        help: """
            Serve one virtual server over standard input and output: what Claude or an IDE launches.

            Usage: switchboard stdio [--config FILE] --server NAME

            \(Help.config)
              --server NAME   the virtual server

            In Claude Desktop's or Cursor's JSON:
              "mcpServers": { "NAME": { "command": "switchboard", "args": ["stdio", "--config", "/path/gateway.yaml", "--server", "NAME"] } }

            Standard output carries nothing but MCP messages. It ends when the input ends, and leaves no child behind.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "stdio", values: ["--config", "--server"])
        try words.expect(rest: 0...0, "")
        let name = try words.required("--server", "the virtual server to serve")
        guard let (path, settings, watch) = Configured.settings(words, isServing: true), let server = Configured.server(name, in: settings) else {
            return 1
        }
        return onLoops(count: 1) { loops in
            let gateway = Gateway(settings, loops: loops, environment: Configured.environment)
            guard Configured.openAudit(gateway) else { return 1 }
            let front = StdioFront(
                service: gateway, server: server, caller: .localUser(Configured.login), input: 0, output: 1, loop: loops.loops[0],
                lineBytesMax: settings.limits.requestBodyBytesMax, queuedBytesMax: settings.limits.upstreamReplyBytesMax * 2,
                jsonDepthMax: settings.limits.jsonDepthMax)
            let reloader = gateway.watchConfiguration(at: path, environment: Configured.environment, watch: watch, loop: loops.loops[0])
            try? Signals.onSignal([SIGTERM, SIGINT, SIGHUP], loop: loops.loops[0]) { signal in
                if signal == SIGHUP { reloader.reloadSoon() } else { front.stop() }
            }
            await front.run(drainingWithin: settings.limits.drainTime)
            await gateway.stop()
            return 0
        }
    }
}
