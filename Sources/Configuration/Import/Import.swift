import Diagnostics
import JSON

/// What clients keep in JSON, made into a configuration of ours; secrets that stand there are never copied.
package struct Import: Sendable {
    /// gateway.yaml.
    package private(set) var gateway = ""
    /// virtual-servers/default.yaml.
    package private(set) var virtualServer = ""

    /// gateway.yaml, and as a comment at its end the virtual server to save beside it.
    package var text: String {
        var text = gateway
        text += "\n# Save this as virtual-servers/default.yaml, without the marks at the left:\n#\n"
        for line in virtualServer.split(separator: "\n") { text += "#   \(line)\n" }
        return text
    }

    /// The text for standard output; see `init(mcpServersJSON:file:)`.
    package static func yaml(fromMCPServersJSON bytes: [UInt8], file: String) throws(ConfigurationError) -> String {
        try Import(mcpServersJSON: bytes, file: file).text
    }

    /// The same from a file; reads it, blocking.
    package static func yaml(fromFile path: String) throws(ConfigurationError) -> String {
        let start = SourcePosition(file: path, line: 1, column: 1)
        switch FileContent.read(path, bytesMax: YAMLDocument.Limits.bytesMax) {
        case .bytes(let bytes): return try yaml(fromMCPServersJSON: bytes, file: path)
        case .missing: throw ConfigurationError("there is no such file", at: start, fix: "name the file in which your client keeps its MCP servers")
        case .notAFile: throw ConfigurationError("this is not a file", at: start, fix: "name the file in which your client keeps its MCP servers")
        case .tooLarge: throw ConfigurationError("the file is larger than 1 MiB", at: start, fix: "take out what is not about servers")
        case .unreadable(let reason): throw ConfigurationError("this cannot be read: \(reason)", at: start, fix: "look at its permissions")
        }
    }

    /// Reads what Claude Desktop and Cursor (`mcpServers`) or VS Code (`servers`, `inputs`) keep; `file` is how messages name it.
    package init(mcpServersJSON bytes: [UInt8], file: String) throws(ConfigurationError) {
        let start = SourcePosition(file: file, line: 1, column: 1)
        guard bytes.count <= YAMLDocument.Limits.bytesMax else {
            throw ConfigurationError("the file is larger than 1 MiB", at: start, fix: "take out what is not about servers")
        }
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONValue(parsing: withoutComments(bytes), depthMax: YAMLDocument.Limits.depthMax)
        } catch {
            let position = SourcePosition(offset: error.offset, in: bytes, file: file)
            throw ConfigurationError("not valid JSON: \(error.reason.rawValue)", at: position, fix: "put it right and try again")
        }
        let found = root["mcpServers"] ?? root["servers"] ?? root["mcp"]?["servers"]
        guard let servers = found?.members else {
            if found != nil {
                let key = root["mcpServers"] == nil ? "servers" : "mcpServers"
                throw ConfigurationError(
                    "`\(key)` is no object of servers by name", at: start, fix: "write \"\(key)\": { \"NAME\": { \"command\": … } }")
            }
            throw ConfigurationError(
                "there is neither `mcpServers` nor `servers` in it", at: start, fix: "name the file in which your client keeps its MCP servers")
        }
        var variables = ImportedVariables()
        var names: [String] = []
        var body = ""
        var isUnfinished = false
        for server in servers {
            let name = Self.name(server.key, not: names)
            var imported = ImportedServer(name: name, original: server.key, definition: server.value)
            body += imported.yaml(&variables)
            isUnfinished = isUnfinished || imported.isUnfinished
            if imported.isUsable { names.append(name) }
        }
        guard !names.isEmpty || isUnfinished else {
            throw ConfigurationError("no server in it can be used", at: start, fix: "look for entries with `command` or `url` that are not disabled")
        }
        gateway = "# Made by `switchboard import` from \(oneLine(NamedPath(file, in: "/").name)).\n" + variables.comment + "upstreams:\n" + body
        virtualServer = Self.virtualServer(names)
    }

    private static func virtualServer(_ names: [String]) -> String {
        "title: Default\ntools: [\(names.map { "\"\($0).*\"" }.joined(separator: ", "))]\naccess: everyone\n"
    }

    /// A name that fits and is not taken.
    private static func name(_ original: String, not taken: [String]) -> String {
        let name = UpstreamReader.fitting(original)
        guard taken.contains(name) else { return name }
        for number in 2...taken.count + 2 {
            let other = "\(name.prefix(27))-\(number)"
            if !taken.contains(other) { return other }
        }
        return name
    }
}
