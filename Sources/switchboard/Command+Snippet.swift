import Configuration
import Diagnostics

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let snippet = Command(
        name: "snippet",
        help: """
            Print what a client or a program needs to reach a virtual server, ready to be pasted.

            Usage: switchboard snippet CLIENT --server NAME [--config FILE]

            \(Help.config)
              --server NAME   the virtual server

            CLIENT is \(orList(SnippetClient.allCases.map(\.rawValue))).
            The address is `public_url`, else the first one that the gateway listens on; claude-desktop launches this program
            instead. Where callers have to say who they are, an environment variable holds the key; no secret is printed.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "snippet", values: ["--config", "--server"])
        try words.expect(rest: 1...1, "the client")
        guard let client = SnippetClient(rawValue: words.rest[0]) else {
            let names = SnippetClient.allCases.map(\.rawValue)
            let near = suggestion(for: words.rest[0], among: names)
            throw UsageError("there is no snippet for “\(words.rest[0])”", hint: near.map { "Did you mean \($0)?" } ?? "There are \(orList(names)).")
        }
        let name = try words.required("--server", "the virtual server to connect to")
        guard let (path, settings, _) = Configured.settings(words, isServing: false), let server = Configured.server(name, in: settings) else {
            return 1
        }
        let advice = SnippetAdvice(settings, for: client)
        let snippet = Snippet(
            server: server, url: "\(base(settings))/\(server)/mcp", authentication: advice.authentication, program: Configured.executablePath,
            configuration: fromRoot(path))
        print(snippet.text(for: client))
        for note in advice.notes { printError(note) }
        if client != .claudeDesktop, settings.publicURL == nil, ["0.0.0.0", "::"].contains(settings.listen.first?.host) {
            printError("The gateway listens on every address: write `public_url` in \(path), so that this has the one that clients reach.")
        }
        return 0
    }

    /// How clients reach the gateway, without a slash at its end.
    private static func base(_ settings: Settings) -> String {
        if let url = settings.publicURL { return url }
        guard let listen = settings.listen.first else { return "http://127.0.0.1:8080" }
        return "\(settings.tls == nil ? "http" : "https")://\(listen.authority)"
    }

    private static func fromRoot(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: FileManager.default.currentDirectoryPath).appending(path: path).standardized.path
    }
}
