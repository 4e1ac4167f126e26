import Foundation

/// A page of the documentation, as the repository holds it.
struct Page {
    static let repository = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()

    /// The README, the changelog and everything under docs.
    static var all: [String] {
        let docs = FileManager.default.enumerator(atPath: repository.appending(path: "docs").path)?.compactMap { $0 as? String } ?? []
        return ["README.md", "CHANGELOG.md"] + docs.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }.sorted()
    }

    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.repository.appending(path: path), encoding: .utf8)
    }

    /// What stands between ```` ```language ```` and ```` ``` ````, in order.
    func blocks(_ language: String) -> [String] {
        text.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] + "\n" }
    }

    /// The text under a heading, up to the next one.
    func section(_ heading: String) -> String {
        guard let start = text.range(of: "# \(heading)\n") else { return "" }
        return text[start.upperBound...].components(separatedBy: "\n#")[0]
    }

    /// The cells of the tables in a text, without the lines under the headings.
    static func rows(_ text: String) -> [[String]] {
        text.split(separator: "\n").filter { $0.hasPrefix("|") && !$0.hasPrefix("|---") }.map { line in
            line.dropFirst().dropLast().components(separatedBy: " | ").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "| ")) }
        }
    }

    /// Where its relative links lead, from the root of the repository, without the part after `#`.
    var links: [String] {
        text.components(separatedBy: "](").dropFirst().compactMap { rest in
            let target = rest.prefix { $0 != ")" }.prefix { $0 != "#" }
            guard !target.isEmpty, !target.contains("://") else { return nil }
            return URL(filePath: path, directoryHint: .notDirectory, relativeTo: Self.repository).deletingLastPathComponent().appending(path: target)
                .standardizedFileURL.path
        }
    }
}
