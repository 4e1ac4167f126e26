import Foundation
import Testing

@testable import Configuration

/// `tls:` and where the gateway may listen.
@Suite struct TLSReaderTests {
    /// What is wrong and what is worth a warning, with files that openssl made; `days` is how long the server's certificate is good.
    private func findings(_ gateway: String, days: Int = 90) throws -> (
        problems: [String], warnings: [String]
    ) {
        try withFolder([("virtual-servers/a.yaml", "access: everyone\n"), ("notes.txt", "no PEM\n"), ("keys.yaml", "keys: []\n")]) { folder in
            for name in ["server", "other"] {
                try openssl(
                    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days \(days) -keyout \(name).key -out \(name).pem",
                    in: folder)
            }
            let text = gateway + "upstreams: { a: { command: a } }\n"
            try text.write(toFile: folder + "/gateway.yaml", atomically: true, encoding: .utf8)
            let loaded = Settings.load(path: "gateway.yaml", environment: ["HOME": "/h"], workingDirectory: folder)
            return (loaded.problems.map(\.description), loaded.warnings.map(\.description))
        }
    }

    private func openssl(_ arguments: String, in folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    static let broken: [(String, [String])] = [
        ("{ certificate: server.pem, private_key: server.key }", []),
        ("{ certificate: server.pem, private_key: server.key, client_ca: other.pem }", []),
        (
            "{ certificate: server.pem, private_key: other.key }",
            ["1:46: other.key is not the key of server.pem; name the key that the certificate was made for"]
        ),
        ("{ certificate: server.pem }", ["1:6: `tls` lacks `private_key`; write `tls: { certificate: server.pem, private_key: server.key }`"]),
        (
            "{ certificate: gone.pem, private_key: server.key }",
            ["1:21: there is no file gone.pem; create it, or mend the path"]
        ),
        (
            "{ certificate: notes.txt, private_key: server.key }",
            ["1:21: notes.txt holds no certificate: no start line; name a PEM file with a certificate"]
        ),
        (
            "{ certificate: server.pem, private_key: notes.txt }",
            ["1:46: notes.txt holds no key that can be read: unsupported; name a PEM file with a key without a passphrase"]
        ),
        (
            "{ certificate: server.pem, private_key: server.key, client_ca: server.key }",
            ["1:69: server.key holds no certificate authorities: it holds no certificate; name a PEM file with certificate authorities"]
        ),
        (
            "{ certificate: server.pem, private_key: server.key, client_cas: a }",
            ["1:58: `tls` has no key \"client_cas\"; did you mean \"client_ca\"?"]
        ),
    ]

    @Test(arguments: broken)
    func `Files for TLS must be there, be readable and belong together`(_ tls: String, _ problems: [String]) throws {
        #expect(try findings("tls: \(tls)\n").problems == problems.map { "gateway.yaml:\($0)" })
    }

    @Test(arguments: [(90, 0), (15, 0), (13, 1), (1, 1)])
    func `A certificate that ends soon is worth a warning`(_ days: Int, _ count: Int) throws {
        let found = try findings("tls: { certificate: server.pem, private_key: server.key }\n", days: days)
        #expect(found.problems == [])
        let warnings = found.warnings.filter { $0.hasPrefix("gateway.yaml:1:21: server.pem expires in ") }
        #expect(warnings.count == count && warnings.allSatisfy { $0.hasSuffix("; renew it; the new file is taken without a restart") })
    }

    private static let tls = "tls: { certificate: server.pem, private_key: server.key }\n"
    private static let mutual = "tls: { certificate: server.pem, private_key: server.key, client_ca: other.pem }\n"
    private static let keys = "identity: { keys_file: keys.yaml }\n"

    static let listeners: [(String, String?)] = [
        (tls, "without identity anyone who reaches it could call every tool"),
        (keys, "keys and tokens would travel in clear text"),
        (tls + "identity: { keys_file: keys.yaml, anonymous: true }\n", "with `anonymous: true` anyone who reaches it could call every tool"),
        ("public_url: http://mcp.example.com\n" + keys, "keys and tokens would travel in clear text"),
        ("public_url: https://mcp.example.com\n" + keys, nil), (tls + keys, nil), (mutual, nil),
    ]

    @Test(arguments: listeners)
    func `Beyond loopback callers prove who they are, and not in clear text`(_ settings: String, _ problem: String?) throws {
        for address in ["0.0.0.0:8080", "'[::]:8080'", "192.0.2.1:8080", "mcp.example.com:443"] {
            let problems = try findings("listen: \(address)\n\(settings)").problems
            #expect(problems.count == (problem == nil ? 0 : 1) && problems.allSatisfy { $0.contains(problem ?? "") }, "\(address): \(problems)")
            #expect(problems.allSatisfy { $0.hasPrefix("gateway.yaml:1:9: refuses to listen on ") })
        }
        #expect(try findings("listen: 127.0.0.1:8080\n\(settings)").problems == [])
    }
}
