import Configuration

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Command {
    static let importing = Command(
        name: "import",
        help: """
            Turn the `mcpServers` JSON of Claude Desktop or Cursor, or the `servers` of VS Code, into a configuration.

            Usage: switchboard import FILE > gateway.yaml

            Secrets are not copied: each becomes a reference to an environment variable, and a comment says which to set.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "import")
        try words.expect(rest: 1...1, "the JSON file")
        let file = words.rest[0]
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: file)) else {
            printError("\(file) can't be read")
            return 1
        }
        do {
            FileHandleWriter.standardOutput(try Import.yaml(fromMCPServersJSON: Array(data), file: file))
            return 0
        } catch {
            printError("\(error)")
            return 1
        }
    }
}
