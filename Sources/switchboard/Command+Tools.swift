import Auth
import Configuration
import Gateway
import JSON
import MCPProtocol
import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Command {
    static let tools = Command(
        name: "tools",
        help: """
            List the tools, prompts and resources that a virtual server shows, as a client would see them.

            Usage: switchboard tools [--config FILE] --server NAME [--as WHO] [--json]

            \(Help.config)
              --server NAME   the virtual server
              --as WHO        \(Help.who) (default: you)
              --json          the whole definitions, as JSON

            Prompts and resources follow the tools, as rules name them: prompt:NAME, resource:URI. In JSON they have a `kind`:
            prompt, resource or template.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "tools", values: ["--config", "--server", "--as"], flags: ["--json"])
        try words.expect(rest: 0...0, "")
        let caller = try words.caller
        let name = try words.required("--server", "the virtual server whose tools to list")
        guard let (_, settings, _) = Configured.settings(words, isServing: false), let server = Configured.server(name, in: settings) else {
            return 1
        }
        return withClient(settings, server, caller) { client, gateway in
            var shown: [(kind: ListKind, definition: JSONValue)] = []
            for kind in ListKind.allCases { shown += try await client.list(kind).map { (kind, $0) } }
            if words.flags.contains("--json") {
                print(JSONValue.array(shown.map { $0.kind.marking($0.definition) }).pretty())
            } else {
                for (kind, definition) in shown { print(kind == .tools ? line(for: definition) : line(for: definition, of: kind)) }
                if shown.isEmpty { printError("no tools") }
            }
            return complain(about: gateway, server, caller) ? 1 : 0
        }
    }

    static let call = Command(
        name: "call",
        help: """
            Call a tool of a virtual server, by the same way as any client.

            Usage: switchboard call [--config FILE] --server NAME [--as WHO] TOOL ['{"json":"arguments"}'] [--json]

            \(Help.config)
              --server NAME   the virtual server
              --as WHO        \(Help.who) (default: you)
              --json          the whole result, as JSON

            Where you have to sign in to an upstream first, it prints a link and waits until you are back, or Ctrl-C; without a
            terminal it ends at once. Exit status 1 when the tool or the gateway answers with an error.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "call", values: ["--config", "--server", "--as"], flags: ["--json"])
        try words.expect(rest: 1...2, "the tool's name")
        let caller = try words.caller
        let name = try words.required("--server", "the virtual server that has the tool")
        let tool = words.rest[0]
        let arguments = try words.arguments(at: 1)
        guard let (_, settings, _) = Configured.settings(words, isServing: false), let server = Configured.server(name, in: settings) else {
            return 1
        }
        return withClient(settings, server, caller) { client, gateway in
            guard Configured.openAudit(gateway) else { return 1 }
            // What fails now is told with an error id, and the log has its cause.
            Configured.log(only: .warning)
            warn(of: gateway, server, caller, rulesOnly: true)
            let result = try await client.call(tool, arguments: arguments, signingInWithin: Self.signInTime, offer)
            if words.flags.contains("--json") {
                print(result.pretty())
            } else {
                for content in result["content"]?.array ?? [] { print(content["text"]?.string ?? content.pretty()) }
            }
            return result["isError"] == true ? 1 : 0
        }
    }

    static let accept = Command(
        name: "accept",
        help: """
            Let patterns such as `github.list_*` take the tools that an upstream has added since it was first seen.

            Usage: switchboard accept [--config FILE] UPSTREAM

            \(Help.config)

            With `new_tools: hold` (the default) a pattern takes only the tools that were there when the upstream was first
            read; this takes today's list as the new measure. A running gateway follows within a second.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "accept", values: ["--config"])
        try words.expect(rest: 1...1, "the upstream's name")
        let name = words.rest[0]
        guard let (_, settings, _) = Configured.settings(words, isServing: false) else { return 1 }
        guard settings.upstreams.contains(where: { $0.name == name }) else {
            printError("there is no upstream “\(name)”; there are: \(settings.upstreams.map(\.name).joined(separator: ", "))")
            return 1
        }
        Configured.log(only: .error)
        return onLoops(count: 1) { loops in
            let gateway = Gateway(settings, loops: loops, environment: Configured.environment)
            let outcomes = await Patience(gateway, names: [name]).wait(on: loops.loops[0]) {
                await gateway.connect(to: [name], as: .localUser(Configured.login))
            }
            let failure = outcomes?.first?.failure
            let change: (added: [String], removed: [String])?
            do throws(StateError) {
                change = try gateway.accept(name)
            } catch {
                await gateway.stop()
                printError("the tools of \(name) are not accepted, since that can't be kept: \(error)")
                return 1
            }
            await gateway.stop()
            guard failure == nil, let change else {
                printError("\(name) does not answer: \(failure ?? "no tools")")
                return 1
            }
            for tool in change.added { print("+ \(name).\(tool)") }
            for tool in change.removed { print("- \(name).\(tool)") }
            if change.added.isEmpty, change.removed.isEmpty { print("nothing has changed") }
            return 0
        }
    }

    /// How long a link to sign in with is good.
    private static let signInTime = Duration.seconds(600)

    /// Shows somebody at the terminal where to sign in; false where nobody is there.
    @Sendable private static func offer(_ text: String, _ link: String) -> Bool {
        guard isatty(2) == 1 else {
            // The page goes with this command.
            printError("\(text) Run this in a terminal, where it waits for you.")
            return false
        }
        printError("\(text)\nOpen this link in a browser of this machine: \(link)\nwaiting for you to sign in … (Ctrl-C ends it)")
        return true
    }

    private static func withClient(
        _ settings: Settings, _ server: String, _ caller: Caller, _ work: @escaping @Sendable (InProcessClient, Gateway) async throws -> Int32
    ) -> Int32 {
        Configured.log(only: .error)
        return onLoops(count: 1) { loops in
            let gateway = Gateway(settings, loops: loops, environment: Configured.environment)
            let used = settings.virtualServers.first { $0.name == server }?.upstreams ?? []
            _ = await Patience(gateway, names: used, someWillDo: true).wait(on: loops.loops[0]) { await gateway.connect(to: used, as: caller) }
            var status: Int32 = 1
            do {
                status = try await work(InProcessClient(gateway, server: server, caller: caller), gateway)
            } catch let error as ProtocolError {
                printError(error.message)
            } catch {
                printError("\(error)")
            }
            await gateway.stop()
            return status
        }
    }

    /// Says what does not fit, such as rules without effect.
    private static func warn(of gateway: Gateway, _ server: String, _ caller: Caller, rulesOnly: Bool = false) {
        for problem in gateway.exposureProblems(of: server, for: caller, rulesOnly: rulesOnly) { printError("warning: \(problem.description)") }
    }

    /// Says what does not fit, and which upstreams are missing from what was shown; true when one is.
    static func complain(about gateway: Gateway, _ server: String, _ caller: Caller) -> Bool {
        warn(of: gateway, server, caller)
        var isIncomplete = false
        for (name, reason) in gateway.missing(from: server, for: caller) {
            printError("upstream \(name) is not available: \(reason)")
            isIncomplete = true
        }
        return isIncomplete
    }

    private static func line(for tool: JSONValue) -> String {
        let name = tool["name"]?.string ?? ""
        let arguments = (tool["inputSchema"]?["properties"]?.members ?? []).map { property in
            let isRequired = tool["inputSchema"]?["required"]?.array?.contains(.string(property.key)) ?? false
            let choices = property.value["enum"]?.array.map { "=" + $0.prefix(6).map { $0.string ?? $0.text }.joined(separator: "|") } ?? ""
            return property.key + choices + (isRequired ? "" : "?")
        }
        return "\(name)(\(arguments.joined(separator: ", ")))\(described(tool))"
    }

    /// A prompt or resource, as rules name it.
    private static func line(for item: JSONValue, of kind: ListKind) -> String {
        let name = item[kind.key]?.string ?? ""
        guard kind == .prompts else { return "resource:\(name)\(described(item))" }
        let arguments = (item["arguments"]?.array ?? []).map { ($0["name"]?.string ?? "") + ($0["required"] == true ? "" : "?") }
        return "prompt:\(name)(\(arguments.joined(separator: ", ")))\(described(item))"
    }

    private static func described(_ definition: JSONValue) -> String {
        let description = (definition["description"]?.string ?? "").prefix { !$0.isNewline }.prefix(100)
        return description.isEmpty ? "" : "  — \(description)"
    }
}

extension ListKind {
    /// A definition with its kind; a tool's is as it is.
    fileprivate func marking(_ definition: JSONValue) -> JSONValue {
        guard self != .tools else { return definition }
        let kind = self == .templates ? "template" : noun
        return .object([.init("kind", .string(kind))] + (definition.members ?? []))
    }
}
