import Auth
import Foundation
import Testing

@testable import Configuration

@Suite struct KeysFileTests {
    private static let gateway = "identity: { keys_file: secrets/keys.yaml }\nupstreams: { a: { command: a } }\n"

    private func key(_ name: String, groups: [String] = [], expires: Int? = nil) throws -> APIKey {
        try APIKey(try APIKeyText(), name: name, groups: groups, created: 1_800_000_000, expires: expires)
    }

    private func withFile<Result>(_ text: String = gateway, _ body: (KeysFile) throws -> Result) throws -> Result {
        try withFolder([("gateway.yaml", text), ("secrets/", "")]) { folder in
            try body(try KeysFile(ofConfiguration: folder + "/gateway.yaml"))
        }
    }

    @Test func `What is written is read again, and only its owner may`() throws {
        try withFile { file in
            let keys = [try key("bot", groups: ["a", "b/c@d.e"], expires: 1_900_000_000), try key("other")]
            try file.change { $0 = keys }
            #expect(try file.read() == keys)
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try file.change { $0 = [] }
            #expect(try file.read() == [])
        }
    }

    @Test func `A key never stands in the file`() throws {
        try withFile { file in
            let text = try APIKeyText()
            let kept = try APIKey(text, name: "bot", groups: [], created: 0, expires: nil)
            try file.change { $0 = [kept] }
            let content = try String(contentsOfFile: file.path, encoding: .utf8)
            #expect(content.contains(text.id) && !content.contains(text.text.reveal().suffix(49)))
        }
    }

    @Test func `Two writers lose nothing of each other`() throws {
        try withFile { file in
            let keys = try (0..<40).map { try key("k\($0)") }
            DispatchQueue.concurrentPerform(iterations: keys.count) { index in
                try? file.change { $0.append(keys[index]) }
            }
            #expect(Set(try file.read()) == Set(keys))
        }
    }

    @Test func `A change that fails leaves the file as it was, and nothing beside it`() throws {
        try withFile { file in
            let keys = [try key("bot")]
            try file.change { $0 = keys }
            #expect(throws: KeysFileError.self) {
                try file.change { (keys) throws(KeysFileError) in
                    keys = []
                    throw KeysFileError([])
                }
            }
            #expect(try file.read() == keys)
            let names = try FileManager.default.contentsOfDirectory(atPath: (file.path as NSString).deletingLastPathComponent)
            #expect(names.sorted() == ["keys.yaml", "keys.yaml.lock"])
        }
    }

    @Test func `A broken file is not written over`() throws {
        try withFile { file in
            try "keys: 7\n".write(toFile: file.path, atomically: false, encoding: .utf8)
            #expect(throws: KeysFileError.self) { try file.change { $0 = [] } }
            #expect(try String(contentsOfFile: file.path, encoding: .utf8) == "keys: 7\n")
        }
    }

    @Test func `Without keys_file the keys lie beside the configuration, and it is said that they do nothing`() throws {
        try withFile("upstreams: { a: 7 }\n") { file in
            #expect(!file.isConfigured && file.path.hasSuffix("/keys.yaml"))
        }
    }

    @Test(
        arguments: [
            ("2027-01-31", 1_801_353_600), ("2027-01-31T18:30:05Z", 1_801_420_205), ("1970-01-01", 0), ("2027-02-30", nil), ("2027-13-01", nil),
            ("2027-1-31", nil), ("2027-01-31T18:30:05", nil), ("2027-01-31T18:30:05+01:00", nil), ("2027-01-31T25:00:00Z", nil), ("20270131", nil),
            ("", nil),
        ] as [(String, Int?)])
    func `A time is a date or a moment in UTC`(_ text: String, _ seconds: Int?) {
        #expect(Timestamp(text)?.seconds == seconds)
    }
}
