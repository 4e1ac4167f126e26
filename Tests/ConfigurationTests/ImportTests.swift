import Testing

@testable import Configuration

@Suite struct ImportTests {
    @Test(arguments: Golden.all("import"))
    func `A client's file becomes what is written beside it, loads, and holds no secret`(_ golden: Golden) throws {
        let output = try outcome(golden)
        try golden.check(output)
        #expect(!output.contains("canary"), "a secret was copied")
    }

    @Test func `Goldens are found`() { #expect(Golden.all("import").count >= 5) }

    @Test(arguments: [
        ("{\"a\": 1, // x\n \"b\": [1, 2,],}", "{\"a\": 1,     \n \"b\": [1, 2 ] }"), ("/* , */ \"a // b\"", "        \"a // b\""),
        ("\"\\\"//\"", "\"\\\"//\""),
        ("/*", "  "), ("\"", "\""), ("\"\\", "\"\\"), ("/", "/"), (",", ","),
    ])
    func `Comments and last commas become blanks`(_ text: String, _ expected: String) {
        #expect(String(decoding: withoutComments(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test(arguments: [("nothing.json", "there is no such file"), ("", "this is not a file")])
    func `A file that can't be read is refused with the reason`(_ name: String, _ reason: String) throws {
        try withFolder([("mcp.json", "{}")]) { folder in
            let path = "\(folder)/\(name)"
            #expect { try Import.yaml(fromFile: path) } throws: { "\($0)".hasPrefix("\(path):1:1: \(reason); ") }
        }
    }

    @Test func `What only a person can finish is still handed over, as comments`() throws {
        let text = #"{"mcpServers":{"a":{"command":"x","args":["--token","canary"]}}}"#
        let gateway = try Import(mcpServersJSON: Array(text.utf8), file: "f").gateway
        #expect(gateway.contains("  #   args: [\"--token\", \"REPLACE_ME\"]\n"))
        #expect(!gateway.contains("canary"))
    }

    @Test func `Every truncation of a client's file is refused or loads`() throws {
        let golden = try #require(Golden.all("import").first)
        let bytes = Array(golden.input.utf8)
        for count in bytes.indices { _ = try? Import(mcpServersJSON: Array(bytes.prefix(count)), file: "f") }
    }

    @Test func `Two servers that keep different secrets under one name get two variables`() throws {
        let text =
            #"{"mcpServers":{"a":{"command":"x","env":{"API_KEY":"one-1"}},"b":{"command":"x","env":{"API_KEY":"two-2"}},"c":{"command":"x","env":{"API_KEY":"one-1"}}}}"#
        let gateway = try Import(mcpServersJSON: Array(text.utf8), file: "f").gateway
        #expect(gateway.contains("#   API_KEY B_API_KEY\n"))
        #expect(!gateway.contains("one-1") && !gateway.contains("two-2"))
    }

    @Test(arguments: ["a\"b\\c\n\t\u{7f}\u{85}\u{2028}\u{feff}é😀", "", " ", "${env:X}", "'"])
    func `A quoted text is read back as it was`(_ text: String) throws {
        let document = YAMLDocument(parsing: Array(yamlQuoted(text).utf8), file: "f")
        #expect(document.root?.scalar?.text == text)
    }

    /// The text, after it has been loaded; or why there is none.
    private func outcome(_ golden: Golden) throws -> String {
        let imported: Import
        do throws(ConfigurationError) {
            imported = try Import(mcpServersJSON: Array(golden.input.utf8), file: "mcp.json")
        } catch {
            return error.description + "\n"
        }
        let files = [("gateway.yaml", imported.gateway), ("virtual-servers/default.yaml", imported.virtualServer)]
        let loaded = try withFolder(files) { Settings.load(path: "gateway.yaml", environment: ["HOME": "/h"], workingDirectory: $0) }
        if case .problems(let problems, _) = loaded { Issue.record("does not load: \(problems)") }
        return imported.text
    }
}
