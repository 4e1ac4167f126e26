import Diagnostics

/// A rule as a person wrote it, and where it stands: what the log, `explain` and the audit name.
package struct RuleReference: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let position: SourcePosition

    package init(text: String, position: SourcePosition) {
        self.text = text
        self.position = position
    }

    /// `FILE:LINE:COLUMN: TEXT`.
    package var description: String { "\(position): \(text)" }
}
