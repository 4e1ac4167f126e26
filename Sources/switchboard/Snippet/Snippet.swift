import Configuration
import JSON

/// One virtual server, as a client's configuration or program names it.
struct Snippet {
    /// What a client has to send besides the address.
    enum Authentication {
        /// Nothing: callers need not say who they are, or the client finds out by itself how to sign in.
        case none
        /// `Authorization: Bearer`, its value in the environment variable of that name.
        case bearer(variable: String)
    }

    let server: String
    /// Of the streamable HTTP transport.
    let url: String
    let authentication: Authentication
    /// This program and the configuration, from the root.
    let program: String
    let configuration: String

    func text(for client: SnippetClient) -> String {
        switch client {
        case .claudeDesktop: entry("mcpServers", command)
        case .claudeCode: entry("mcpServers", http(type: "http") { "${\($0)}" })
        case .cursor: entry("mcpServers", http(type: nil) { "${env:\($0)}" })
        case .vscode: vscode
        case .python: python
        case .typescript: typescript
        }
    }

    private func entry(_ section: String, _ value: JSONValue) -> String {
        JSONValue.object([.init(section, .object([.init(server, value)]))]).pretty()
    }

    private var command: JSONValue {
        ["command": .string(program), "args": ["stdio", "--config", .string(configuration), "--server", .string(server)]]
    }

    private func http(type: String?, reference: (String) -> String) -> JSONValue {
        var value: JSONValue = [:]
        value["type"] = type.map(JSONValue.string)
        value["url"] = .string(url)
        if case .bearer(let variable) = authentication { value["headers"] = ["Authorization": .string("Bearer \(reference(variable))")] }
        return value
    }

    /// It asks for the value once and keeps it in its own store of secrets.
    private var vscode: String {
        let input = "switchboard-key"
        var value: JSONValue = ["servers": .object([.init(server, http(type: "http") { _ in "${input:\(input)}" })])]
        if case .bearer = authentication {
            value["inputs"] = [["type": "promptString", "id": .string(input), "description": "Key for Switchboard", "password": true]]
        }
        return value.pretty()
    }
}
