#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A reference that leads to no secret; says which one, never a value.
package struct UnresolvedSecret: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}

extension SecretReference {
    /// Longest file that a `${file:…}` may name, in bytes.
    package static let fileBytesMax = 64 * 1024

    /// The text with every reference replaced. Line ends at a file's end are dropped.
    ///
    /// Throws when a variable is unset, a file can't be read, or the value could not stand in a header (control characters).
    package func resolve(environment: [String: String]) throws(UnresolvedSecret) -> Secret {
        let secret = try resolveText(environment: environment)
        guard secret.reveal().utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw UnresolvedSecret(description: "the value of \(names) has line breaks or control characters")
        }
        return secret
    }

    /// The same for what never stands in a header, such as a key in PEM.
    package func resolveText(environment: [String: String]) throws(UnresolvedSecret) -> Secret {
        var text = ""
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .environment(let name):
                guard let value = environment[name], !value.isEmpty else {
                    throw UnresolvedSecret(description: "the environment variable \(name) is not set")
                }
                text += value
            case .file(let path): text += try contents(of: path)
            }
        }
        return Secret(text)
    }

    /// The files it names.
    package var files: [String] { parts.compactMap { if case .file(let path) = $0 { path } else { nil } } }

    /// `${env:A} and ${file:B}`.
    var names: String {
        parts.compactMap { part in
            switch part {
            case .text: nil
            case .environment(let name): "${env:\(name)}"
            case .file(let path): "${file:\(path)}"
            }
        }.joined(separator: " and ")
    }

    private func contents(of path: String) throws(UnresolvedSecret) -> String {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw UnresolvedSecret(description: "the file \(path) can't be read")
        }
        guard data.count <= Self.fileBytesMax, var text = String(validating: data, as: UTF8.self) else {
            throw UnresolvedSecret(description: "the file \(path) is no text of at most \(Self.fileBytesMax / 1024) KiB")
        }
        while text.last?.isNewline == true { text.removeLast() }
        guard !text.isEmpty else { throw UnresolvedSecret(description: "the file \(path) is empty") }
        return text
    }
}
