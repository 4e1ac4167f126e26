import Foundation
import Testing

/// A file under fixtures/configuration: files behind `>>> NAME` lines, a dashed line, the expected output.
///
/// With SWITCHBOARD_REWRITE_GOLDENS=1 in the environment the output is written there instead of compared.
struct Golden: CustomTestStringConvertible, Sendable {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "fixtures/configuration")

    let url: URL
    let input: String
    let expected: String
    var testDescription: String { url.lastPathComponent }

    static func all(_ kind: String) -> [Golden] {
        let urls = try? FileManager.default.contentsOfDirectory(at: folder.appending(path: kind), includingPropertiesForKeys: nil)
        return (urls ?? []).filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.compactMap { try? Golden($0) }
    }

    init(_ url: URL) throws {
        self.url = url
        let text = try String(contentsOf: url, encoding: .utf8)
        let split = text.range(of: "\n----\n")
        input = split.map { String(text[..<$0.lowerBound]) + "\n" } ?? text
        expected = split.map { String(text[$0.upperBound...]) } ?? ""
    }

    /// Names and contents.
    var files: [(name: String, content: String)] {
        input.components(separatedBy: ">>> ").dropFirst().map { part in
            let name = part.prefix { $0 != "\n" }
            return (String(name), String(part.dropFirst(name.count + 1)))
        }
    }

    func check(_ output: String) throws {
        if ProcessInfo.processInfo.environment["SWITCHBOARD_REWRITE_GOLDENS"] == "1" {
            try (input + "----\n" + output).write(to: url, atomically: true, encoding: .utf8)
        } else {
            #expect(output == expected)
        }
    }
}

/// A folder that is gone when the body is left.
func withFolder<Result>(_ files: [(name: String, content: String)], _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "switchboard-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files {
        let url = folder.appending(path: file.name)
        if file.name.hasSuffix("/") {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            continue
        }
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try file.content.write(to: url, atomically: false, encoding: .utf8)
    }
    return try body(folder.path)
}
