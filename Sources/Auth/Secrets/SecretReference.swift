import Diagnostics

/// A text that names secrets instead of holding them: `${env:NAME}`, `${file:PATH}`, with plain text around them if need be.
///
/// It holds no secret, so it may be printed.
package struct SecretReference: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
        case text(String)
        case environment(String)
        /// An absolute path; Configuration resolves relative ones against the file that names them.
        case file(String)
    }

    package let parts: [Part]
    package let position: SourcePosition

    /// Whether it names anything, and is not plain text alone.
    package var isSecret: Bool { parts.contains { if case .text = $0 { false } else { true } } }

    /// The same secret, wherever it is named: moving a line changes nothing.
    package static func == (a: SecretReference, b: SecretReference) -> Bool { a.parts == b.parts }
    package func hash(into hasher: inout Hasher) { hasher.combine(parts) }

    package init(parts: [Part], position: SourcePosition) {
        self.parts = parts
        self.position = position
    }
}
