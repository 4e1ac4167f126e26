import Configuration
import Diagnostics
import Gateway
import Network
import Synchronization
import Transport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let demo = Command(
        name: "demo",
        help: """
            See Switchboard work on this machine, with nothing to configure.

            Usage: switchboard demo [--once] [--listen HOST:PORT]

            Starts real MCP servers of different transports and eras, puts one virtual server in front of them, and lets a
            scripted client list and call its tools. Then it keeps serving until Ctrl-C, so that you can connect your own client.

              --once          end after the scripted client
              --listen H:P    default: 127.0.0.1:8080, or any free port where that is taken
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "demo", values: ["--listen"], flags: ["--once"])
        try words.expect(rest: 0...0, "")
        let asked: ListenAddress?
        do {
            asked = try words["--listen"].map { try ListenAddress(parsing: $0, at: SourcePosition(file: "--listen", line: 1, column: 1)) }
        } catch let error as ConfigurationError {
            throw UsageError("--listen: \(error.problem.what)", hint: error.problem.fix)
        } catch {
            throw UsageError("--listen: \(error)")
        }
        Log.threshold.store(Log.Level.error.rawValue, ordering: .relaxed)
        return onLoops(count: 2) { loops in
            let isOnce = words.flags.contains("--once")
            do {
                let stage = try await DemoStage.set(loops: loops)
                let status = await play(on: stage, asked: asked, isOnce: isOnce, loops: loops)
                await stage.clear()
                return status
            } catch {
                printError("the demo can't run: \(error)")
                return 1
            }
        }
    }

    private static func play(on stage: DemoStage, asked: ListenAddress?, isOnce: Bool, loops: LoopGroup) async -> Int32 {
        guard case .settings(let settings, _) = Settings.load(path: stage.configuration, environment: Configured.environment) else {
            printError("the demo's own configuration is wrong")
            return 1
        }
        let here = SourcePosition(file: "demo", line: 1, column: 1)
        let standard = ListenAddress(host: "127.0.0.1", port: 8080, position: here)
        let free = ListenAddress(host: "127.0.0.1", port: 0, position: here)
        var service: HTTPService?
        for address in asked.map({ [$0] }) ?? [standard, free] where service == nil {
            do {
                service = try HTTPService(
                    settings, configuration: stage.configuration, watch: FileWatch([stage.configuration]), listen: [address],
                    environment: Configured.environment, loops: loops)
            } catch {
                if asked != nil || address == free { printError("the demo can't run: \(error)\(ListenAdvice.text(for: error))") }
            }
        }
        guard let service else { return 1 }
        let script = DemoScript(stage: stage, address: service.addresses[0], loop: loops.loops[0])
        let done = Mailbox<Bool>(capacity: 1)
        loops.loops[0].task {
            _ = await service.gateway.connect(as: .anonymous, within: .seconds(20))
            let isWell = await script.play()
            _ = done.send(isWell)
            if isOnce || !isWell { service.stop() } else { script.explainHowToConnect() }
        }
        await service.run()
        return await done.next() == true ? 0 : 1
    }
}
