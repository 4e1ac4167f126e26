import Configuration

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
        guard file != "-" else { throw UsageError("`import` reads a file, not standard input", hint: "name the file") }
        do throws(ConfigurationError) {
            FileHandleWriter.standardOutput(try Import.yaml(fromFile: file))
        } catch {
            printError(error.description)
            return 1
        }
        printError(
            "Next: save the block at its end as virtual-servers/default.yaml, and look at the comments in it: variables to set, servers left out.")
        printError("Then: switchboard check --connect")
        return 0
    }
}
