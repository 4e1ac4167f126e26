import Foundation
import JSON
import Testing

@testable import Configuration

/// The pages say what the program does; where one of them lags behind, a test here fails.
@Suite struct DocumentationTests {
    private static let upstreams = ["docs", "git", "github", "jira", "notes", "time"]

    @Test func `The page's limits are the program's`() throws {
        let rows = Page.rows(try Page("docs/configuration.md").section("Limits")).dropFirst().map { Array($0.prefix(3)) }
        #expect(rows == LimitSettings.keys.map(row))
    }

    private func row(_ key: LimitSettings.Key) -> [String] {
        let standard = LimitSettings()
        let (value, low, high) =
            switch key.kind {
            case .time(let member, let range): (spelled(standard[keyPath: member]), spelled(range.lowerBound), spelled(range.upperBound))
            case .bytes(let member, let range):
                (spelled(bytes: standard[keyPath: member]), spelled(bytes: range.lowerBound), spelled(bytes: range.upperBound))
            case .count(let member, let range): ("\(standard[keyPath: member])", "\(range.lowerBound)", "\(range.upperBound)")
            }
        return ["`\(key.name)`", value, "\(low) – \(high)"]
    }

    @Test(arguments: [
        ("the configuration", "gateway.yaml", "zzzzzz: 1\nupstreams: { a: { command: a } }\n"),
        ("identity", "gateway.yaml", "identity: { zzzzzz: 1 }\n"), ("an issuer", "gateway.yaml", "identity: { issuers: [{ zzzzzz: 1 }] }\n"),
        ("claims", "gateway.yaml", "identity: { issuers: [{ claims: { zzzzzz: 1 } }] }\n"),
        ("TLS", "gateway.yaml", "tls: { zzzzzz: 1 }\nupstreams: { a: { command: a } }\n"),
        ("an upstream", "gateway.yaml", "upstreams: { a: { command: a, zzzzzz: 1 } }\n"),
        ("a credential", "gateway.yaml", "upstreams: { a: { url: 'https://a.example/', credential: { zzzzzz: 1 } } }\n"),
        ("a virtual server", "virtual-servers/a.yaml", "access: everyone\nzzzzzz: 1\n"),
        ("a tool", "virtual-servers/a.yaml", "access: everyone\ntools: [{ tool: a.b, zzzzzz: 1 }]\n"),
        ("an entry of policy", "gateway.yaml", "policy: [{ deny: a.b, zzzzzz: 1 }]\nupstreams: { a: { command: a } }\n"),
        ("a role", "virtual-servers/a.yaml", "tools: [a.b]\nroles: { r: { who: everyone, allow: '*', zzzzzz: 1 } }\n"),
        ("an argument", "virtual-servers/a.yaml", "access: everyone\ntools: [{ tool: a.b, arguments: { c: { zzzzzz: 1 } } }]\n"),
    ])
    func `Every key that the program knows is on the page`(_ what: String, _ file: String, _ text: String) throws {
        let others = [("gateway.yaml", "upstreams: { a: { command: a } }\n"), ("virtual-servers/a.yaml", "access: everyone\n")]
        let loaded = try withFolder(others.filter { $0.0 != file } + [(file, text)]) { folder in
            Settings.load(path: folder + "/gateway.yaml", environment: ["HOME": "/h"])
        }
        let fix = try #require(loaded.problems.map(\.fix).first { $0.hasPrefix("the keys are ") })
        let page = try Page("docs/configuration.md").text
        for key in fix.dropFirst("the keys are ".count).components(separatedBy: ", ") {
            #expect(page.contains("| `\(key)") || page.contains(", `\(key)` |"), "`\(key)` of \(what) is not described")
        }
    }

    @Test(arguments: Page.all)
    func `Every YAML block of the pages loads`(_ path: String) throws {
        for block in try Page(path).blocks("yaml") {
            let mark = block.prefix { $0 != "\n" }
            var gateway = "upstreams: { \(Self.upstreams.map { "\($0): { command: x }" }.joined(separator: ", ")) }\n"
            var virtualServer = ("virtual-servers/default.yaml", "access: everyone\n")
            if mark == "# gateway.yaml" {
                gateway = block
            } else if mark.hasPrefix("# virtual-servers/") {
                virtualServer = (String(mark.dropFirst(2)), block)
            } else if mark == "# in upstreams:" {
                gateway = "upstreams:\n" + block.split(separator: "\n").map { "  \($0)\n" }.joined()
            } else {
                Issue.record("\(path) has a block that does not say what it is: \(mark)")
            }
            #expect(try problems(of: [("gateway.yaml", gateway), virtualServer]) == [], "\(path): \(mark)")
        }
    }

    /// What keeps a configuration from loading.
    private func problems(of files: [(name: String, content: String)]) throws -> [String] {
        try withFolder(files) { folder in
            guard case .problems(let problems, _) = Settings.load(path: "gateway.yaml", environment: ["HOME": "/h"], workingDirectory: folder) else {
                return []
            }
            return problems.map(\.description)
        }
    }

    @Test func `The README shows an example as it stands in the repository`() throws {
        for block in try Page("README.md").blocks("yaml") {
            let name = block.prefix { $0 != "\n" }.dropFirst(2)
            let examples = try ["first-steps", "code-review"].map { "examples/\($0)/\(name)" }.filter(FileManager.default.fileExists).map {
                try Page($0).text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            }
            #expect(examples.contains { $0[...] == block.split(separator: "\n").dropFirst() }, "\(name)")
        }
    }

    @Test(arguments: Page.all)
    func `Every JSON block of the pages is JSON`(_ path: String) throws {
        for block in try Page(path).blocks("json") { #expect(throws: Never.self) { try JSONValue(parsing: Array(block.utf8)) } }
    }

    @Test(arguments: Page.all)
    func `Every link of the pages leads to something in the repository`(_ path: String) throws {
        for link in try Page(path).links { #expect(FileManager.default.fileExists(atPath: link), "\(path) → \(link)") }
    }

    @Test func `Every test that the threat model names exists`() throws {
        let folder = Page.repository.appending(path: "Tests")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        let names = try Page("docs/threat-model.md").text.components(separatedBy: "`").filter { $0.contains("::") && $0 != "FILE::TEST" }
        #expect(names.count > 20)
        for name in names {
            let (file, test) = (name.components(separatedBy: "::")[0], name.components(separatedBy: "::")[1])
            let path = try #require(files.first { $0.hasSuffix("/\(file).swift") || $0.hasSuffix("/\(file).py") }, "there is no file of \(name)")
            let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            #expect(["`\(test)`(", "func \(test)(", "def \(test)(", "\"\(test)\""].contains { text.contains($0) }, "\(name)")
        }
    }

    @Test func `Every file that the architecture page names exists`() throws {
        let files = FileManager.default.enumerator(atPath: Page.repository.appending(path: "Sources").path)?.compactMap { $0 as? String } ?? []
        let names = try Page("docs/architecture.md").text.components(separatedBy: "`").filter { $0.hasSuffix(".swift") }
        #expect(names.count > 20)
        for name in names { #expect(files.contains { $0.hasSuffix("/\(name)") }, "\(name)") }
    }
}
