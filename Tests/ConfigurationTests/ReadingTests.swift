import Diagnostics
import Testing
import VirtualServers

@testable import Configuration

@Suite struct ReadingTests {
    @Test(arguments: [
        ("*", "anything", true), ("*", "a_*", true), ("a_*", "a_b", true), ("a_*", "*", false), ("a?", "ab", true), ("a?", "a*", false),
        ("?", "?", true),
        ("a*c", "abc", true), ("a*c", "ab*", false), ("*a*", "bab", true), ("a", "a", true), ("a", "b", false), ("a*b*c", "a_b_b_c", true),
        ("*b", "a*b", true), ("a**", "a", true), ("", "", true),
    ])
    func `A pattern covers another when it takes all that the other could`(_ glob: String, _ other: String, _ covers: Bool) {
        let position = SourcePosition(file: "f", line: 1, column: 1)
        let pattern = UpstreamPattern(upstream: "u", glob: glob, position: position)
        #expect(pattern.covers(UpstreamPattern(upstream: "u", glob: other, position: position)) == covers)
        #expect(!pattern.covers(UpstreamPattern(upstream: "v", glob: other, position: position)))
    }

    @Test(arguments: [
        ("GITHUB_TOKEN", true), ("x-api-key", true), ("apiKey", true), ("Authorization", true), ("DB_PASSWORD", true), ("GITHUB_PAT", true),
        ("API_KEY_PROD", true), ("MAX_TOKENS", false), ("KEYBOARD", false), ("PATH", false), ("TOKEN_FILE", false), ("AWS_ACCESS_KEY_ID", false),
        ("MONKEY", false), ("", false),
    ])
    func `A name tells whether a secret goes by it`(_ name: String, _ isSecret: Bool) { #expect(SecretLook.isSecretName(name) == isSecret) }

    @Test(arguments: [
        (["--token", "abcd"], [1]), (["--token=abcd"], [0]), (["--token", "--verbose"], []), (["--token-limit", "5000"], []),
        (["-e", "API_KEY=abcd"], [1]),
        (["-e", "API_KEY"], []), (["--header", "Authorization: Bearer ${TOKEN}"], []), (["--header", "Authorization: Bearer abcd"], [1]),
        (["--header", "X: Bearer abcd"], [1]), (["sk-0123456789abcdef"], [0]), (["https://me:pw@a.example/"], [0]), (["https://a.example/"], []),
        (["-y", "@scope/key-server@1.2"], []), (["--token", "${TOKEN}"], []),
    ])
    func `Secrets among arguments are found`(_ arguments: [String], _ places: [Int]) {
        #expect(SecretLook.secretArguments(arguments).sorted() == places)
    }

    @Test func `A configuration with problems says what to watch for the fix`() throws {
        let files = [
            ("gateway.yaml", "virtual_servers: [a.yaml, b.yaml]\nupstreams: { a: { command: a } }\n"), ("a.yaml", "tools: [b.x]\naccess: everyone\n"),
        ]
        try withFolder(files) { folder in
            guard case .problems(_, let watched) = Settings.load(path: folder + "/gateway.yaml", environment: ["HOME": "/h"]) else {
                Issue.record("it loaded")
                return
            }
            #expect(watched == ["/gateway.yaml", "/b.yaml", "/a.yaml"].map { folder + $0 })
        }
    }

    @Test func `Problems name files as the command line did`() throws {
        try withFolder([("conf/gateway.yaml", "upstreams: { a: { command: a } }\n"), ("conf/virtual-servers/x.yaml", "tools: []\n")]) { folder in
            for (path, shown) in [
                ("./conf/gateway.yaml", "./conf"), (folder + "/conf/gateway.yaml", folder + "/conf"), ("conf/gateway.yaml", "conf"),
            ] {
                let loaded = Settings.load(path: path, environment: ["HOME": "/h"], workingDirectory: folder)
                #expect(loaded.problems.map(\.position.file) == [shown + "/virtual-servers/x.yaml"])
            }
        }
    }

    @Test(arguments: [
        (["HOME": "/h", "XDG_STATE_HOME": "/x"], "/x/switchboard"), (["HOME": "/h", "XDG_STATE_HOME": "relative"], "/h/.local/state/switchboard"),
        (["HOME": "/h"], "/h/.local/state/switchboard"), ([:], nil),
    ])
    func `State lies where the XDG specification says`(_ environment: [String: String], _ folder: String?) throws {
        let files = [("gateway.yaml", "upstreams: { a: { command: a } }\n"), ("virtual-servers/x.yaml", "tools: [a.b]\naccess: everyone\n")]
        let loaded = try withFolder(files) { Settings.load(path: "gateway.yaml", environment: environment, workingDirectory: $0) }
        if let folder {
            guard case .settings(let settings, _) = loaded else {
                Issue.record("did not load: \(loaded.problems)")
                return
            }
            #expect(settings.stateFolder == folder)
        } else {
            #expect(loaded.problems.count == 1)
        }
    }
}
