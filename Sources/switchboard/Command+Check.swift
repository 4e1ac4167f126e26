import Configuration
import Diagnostics
import Gateway
import Network
import VirtualServers

extension Command {
    static let check = Command(
        name: "check",
        help: """
            Find every mistake in the configuration at once, with file, line and column, and how to mend it.

            Usage: switchboard check [--config FILE] [--connect] [--diff OLD]

            \(Help.config)
              --connect       also connect to every upstream and issuer, and hold the virtual servers and `policy` against what
                              there really is
              --diff OLD      also print who gains and who loses which tool, coming from the configuration OLD; with --connect
                              patterns and classes are held against the real tools; without it only what the files
                              say of them is compared, and lines with ? name what can't be told

            Exit status 0 when there is none.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "check", values: ["--config", "--diff"], flags: ["--connect"])
        try words.expect(rest: 0...0, "")
        let path = words["--config"] ?? Configured.defaultPath
        let loaded = Settings.load(path: path, environment: Configured.environment)
        for problem in loaded.warnings { printError("warning: \(problem.description)") }
        for problem in loaded.problems { print(problem.description) }
        guard case .settings(let settings, _) = loaded else { return summary(loaded.problems.count) }
        var old: Settings?
        if let path = words["--diff"] {
            let before = Settings.load(path: path, environment: Configured.environment)
            guard case .settings(let settings, _) = before else {
                for problem in before.problems { print(problem.description) }
                return summary(before.problems.count)
            }
            old = settings
        }
        if let old, !words.flags.contains("--connect") { report(reach(of: old).changes(to: reach(of: settings))) }
        let found = loaded.problems.count + checkState(settings, path) + checkAudit(settings)
        guard words.flags.contains("--connect") else { return found == 0 ? fine(settings) : summary(found) }
        // Whatever is wrong is a problem here, told once.
        Configured.log(only: .error)
        return onLoops(count: 1) { [old] loops in
            let gateway = Gateway(settings, loops: loops, environment: Configured.environment)
            var count = found
            let names = settings.upstreams.map(\.name)
            let outcomes = await Patience(gateway, names: names).wait(on: loops.loops[0]) {
                await gateway.connect(as: .localUser(Configured.login))
            }
            for outcome in outcomes ?? [] {
                let upstream = outcome.upstream
                // What stands in the file is told already.
                if outcome.failure != nil, settings.unresolved[upstream.name] != nil { continue }
                if let failure = outcome.failure, outcome.isOfCaller {
                    // Its users will have one.
                    printError("\(upstream.name): not asked, since its credential depends on the caller: \(failure)")
                } else if let failure = outcome.failure {
                    count += 1
                    let fix = UpstreamAdvice(upstream.definition, failure: failure).text
                    print(Problem("upstream \"\(upstream.name)\" does not answer: \(failure)", at: upstream.definition.position, fix: fix))
                } else {
                    let status = upstream.status
                    print(
                        "\(upstream.name): \(counted(status.toolCount, "tool")), \(status.peer?.transport ?? ""), revision \(status.peer?.revision.rawValue ?? "")"
                    )
                }
            }
            for warning in gateway.exposureWarnings { printError("warning: \(warning.description)") }
            for problem in await gateway.issuerProblems() + gateway.exposureProblems {
                count += 1
                print(problem.description)
            }
            if let old {
                let before = Gateway(old, loops: loops, environment: Configured.environment)
                for outcome in await before.connect(as: .localUser(Configured.login)) {
                    guard let failure = outcome.failure else { continue }
                    printError("upstream \(outcome.upstream.name) of the old configuration does not answer: \(failure)")
                }
                report(before.reach.changes(to: gateway.reach))
                await before.stop()
            }
            await gateway.stop()
            return count == 0 ? fine(settings) : summary(count)
        }
    }

    private static func reach(of settings: Settings) -> AccessReach {
        var reach = AccessReach(prohibitions: settings.policy)
        for definition in settings.virtualServers { reach.add(definition) }
        return reach
    }

    private static func report(_ changes: [String]) {
        for change in changes { print(change) }
        if changes.isEmpty { print("nobody gains or loses a tool") }
    }

    private static func fine(_ settings: Settings) -> Int32 {
        print("no problems: \(counted(settings.virtualServers.count, "virtual server")) over \(counted(settings.upstreams.count, "upstream"))")
        return 0
    }

    private static func summary(_ problems: Int) -> Int32 {
        printError("\(counted(problems, "problem"))")
        return 1
    }

    /// Says why the audit can't be written; the number of problems.
    private static func checkAudit(_ settings: Settings) -> Int {
        guard let audit = settings.audit, let obstacle = audit.obstacle else { return 0 }
        let fix = "make it writable for who runs the gateway, or name another file"
        print(Problem("the audit can't be written: \(obstacle)", at: audit.position, fix: fix))
        return 1
    }

    /// Says what is wrong with the state folder; the number of problems, warnings aside.
    private static func checkState(_ settings: Settings, _ path: String) -> Int {
        let place = SourcePosition(file: path, line: 1, column: 1)
        let (problems, warnings) = StateFolder.problems(in: settings.stateFolder)
        for warning in warnings {
            let fix = "make it writable for who runs the gateway, or name another with `state`"
            printError("warning: \(Problem(warning, at: place, fix: fix))")
        }
        for problem in problems { print(Problem(problem, at: place, fix: "")) }
        return problems.count
    }
}
