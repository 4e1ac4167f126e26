import Diagnostics
import Testing

@testable import Configuration

@Suite struct LoadingTests {
    static let environment = ["HOME": "/home/alice", "GITHUB_TOKEN": "canary-5f1c", "JIRA_PASSWORD": "canary-77aa", "EMPTY": ""]

    @Test(arguments: Golden.all("load"))
    func `A configuration loads to what is written beside it`(_ golden: Golden) throws {
        let output = try withFolder(golden.files) { folder in
            let path = golden.files.first.map(\.name) ?? "gateway.yaml"
            let start = path.hasSuffix("gateway.yaml") ? path : "gateway.yaml"
            return rendered(Settings.load(path: start, environment: Self.environment, workingDirectory: folder), folder: folder)
        }
        try golden.check(output)
        #expect(!output.contains("canary"), "a secret was shown")
    }

    @Test func `Goldens are found`() { #expect(Golden.all("load").count >= 15) }

    @Test func `check counts a secret that is not there as a problem, serve does not`() throws {
        let files = [
            ("gateway.yaml", "upstreams:\n  a: { url: 'https://a.example/', credential: { bearer: '${env:NOWHERE}' } }\n"),
            ("virtual-servers/default.yaml", "tools: ['a.*']\naccess: everyone\n"),
        ]
        let loaded = try withFolder(files) { Settings.load(path: $0 + "/gateway.yaml", environment: ["HOME": "/h"]) }
        guard case .settings(let settings, _) = loaded else {
            Issue.record("did not load: \(loaded.problems)")
            return
        }
        #expect(settings.unresolved.keys.sorted() == ["a"])
        #expect(loaded.problems.map(\.what) == ["the variable NOWHERE is not set"])
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("localhost:0", "localhost:0"), ("[::1]:80", "[::1]:80"), ("[0:0::1]:80", "[::1]:80"),
        ("LOCALHOST:9", "localhost:9"), ("127.3.2.1:9", "127.3.2.1:9"), ("0.0.0.0:8080", "0.0.0.0:8080"), ("[0::0]:80", "[::]:80"),
        ("::1:80", nil), ("127.0.0.1", nil), (":8080", nil), ("127.0.0.1:65536", nil), ("127.0.0.1:-1", nil), ("[127.0.0.1]:80", nil), ("", nil),
        ("[::1%lo]:80", nil), ("127.0.0.1:+80", nil), ("mcp.example.com:80", "mcp.example.com:80"),
    ])
    func `Where to listen is read strictly`(_ text: String, _ authority: String?) throws {
        let position = SourcePosition(file: "f", line: 1, column: 1)
        if let authority {
            #expect(try ListenAddress(parsing: text, at: position).authority == authority)
        } else {
            #expect(throws: ConfigurationError.self) { try ListenAddress(parsing: text, at: position) }
        }
    }

    @Test(arguments: [
        ("30s", Duration.seconds(30)), ("500ms", .milliseconds(500)), ("10m", .seconds(600)), ("1h", .seconds(3_600)), ("0s", .zero), ("30", nil),
        ("s", nil),
        ("-1s", nil), ("1.5s", nil), ("1d", nil), ("9999999999s", nil), ("", nil), ("1s ", .seconds(1)),
    ])
    func `A time has a number and a unit`(_ text: String, _ expected: Duration?) { #expect(duration(text) == expected) }

    @Test(arguments: [
        ("4MiB", 4 << 20), ("16KiB", 16 << 10), ("300B", 300), ("300", 300), ("1GiB", 1 << 30), ("4MB", nil), ("4 MiB", 4 << 20), ("-1", nil),
        ("", nil),
        ("999999999GiB", 999_999_999 << 30),
    ])
    func `A size has a number and a binary unit, or is in bytes`(_ text: String, _ expected: Int?) { #expect(byteCount(text) == expected) }

    @Test(arguments: [
        ("http://a", true), ("https://a.example:8443/x?y=%20#z", true), ("http://[::1]:80/", true), ("http://a b", false), ("http://a/ b", false),
        ("http://", false), ("//a", false), ("http://a:0", false), ("http://a:99999", false), ("http://a/%2", false), ("http://a/%zz", false),
        ("http://a/\n", false), ("http://a/é", false), ("http://[::1", false), ("http://a..b", false), ("1http://a", false), ("http://a\\b", false),
        ("http://a/{x}", false),
    ])
    func `An address is read strictly`(_ text: String, _ isAddress: Bool) { #expect((WebAddress(text) != nil) == isAddress) }
}
