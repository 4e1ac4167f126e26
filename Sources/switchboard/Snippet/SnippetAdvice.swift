import Auth
import Configuration
import Transport

/// Which authentication fits a configuration and a client, and what a person has to know besides.
struct SnippetAdvice {
    let authentication: Snippet.Authentication
    /// Sentences for standard error.
    let notes: [String]

    init(_ settings: Settings, for client: SnippetClient) {
        let identity = settings.identity
        var notes = ["Put it into \(client.place)."]
        if client == .claudeDesktop {
            authentication = .none
            notes.append("It acts for whoever is logged in on this machine.")
            let variables = Self.variables(of: settings)
            if !variables.isEmpty {
                notes.append(
                    "The configuration needs \(variables.joined(separator: ", ")): add them there under \"env\", or use ${file:…} references.")
            }
        } else if identity.anonymous {
            authentication = .none
        } else if client.isInteractive, !identity.issuers.isEmpty {
            authentication = .none
            notes.append("It signs in at \(identity.issuers.map(\.issuer).joined(separator: " or ")) when it connects.")
        } else if identity.keysFile != nil {
            authentication = .bearer(variable: "SWITCHBOARD_KEY")
            let how = client == .vscode ? "It asks for a key" : "It takes a key from the environment variable SWITCHBOARD_KEY"
            notes.append("\(how); make one with `switchboard key new NAME`.")
        } else if !identity.issuers.isEmpty {
            authentication = .bearer(variable: "SWITCHBOARD_TOKEN")
            let issuers = identity.issuers.map(\.issuer).joined(separator: " or ")
            notes.append("It takes a token of \(issuers) from the environment variable SWITCHBOARD_TOKEN.")
        } else {
            authentication = .none
            notes.append("The gateway asks for a client certificate, which the client must be given in its own way.")
        }
        self.notes = notes
    }

    /// The environment variables that upstreams refer to, which a client that launches us does not hand on.
    private static func variables(of settings: Settings) -> [String] {
        let references = settings.upstreams.flatMap { upstream in
            var references = upstream.credential.references
            if case .command(_, _, let environment, _) = upstream.endpoint { references += environment.map(\.value) }
            return references
        }
        let names = references.flatMap(\.parts).compactMap { part in if case .environment(let name) = part { name } else { nil } }
        return Set(names).sorted()
    }
}
