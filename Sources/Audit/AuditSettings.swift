import Diagnostics

/// `audit:` as written: where decisions are recorded, and what happens while they can't be.
package struct AuditSettings: Hashable, Sendable {
    package enum Destination: Hashable, Sendable {
        /// From the root.
        case file(String)
        case standardOutput
    }

    /// What becomes of calls that can't be recorded.
    package enum WhenUnwritable: Hashable, Sendable { case refuse, serve }

    /// What is kept of a call's arguments.
    package enum Values: Hashable, Sendable {
        case none
        /// A keyed digest: the same arguments have the same, and nobody without the key can find them by trying.
        case digest
        /// The arguments too, secrets masked.
        case full
    }

    package var destination: Destination
    package var whenUnwritable: WhenUnwritable
    package var values: Values
    /// Where the destination is written.
    package var position: SourcePosition

    /// Why nothing could be written there now; nil where it could. Makes no file.
    package var obstacle: AuditFailure? { AuditFile.obstacle(to: destination) }

    package init(_ destination: Destination, whenUnwritable: WhenUnwritable = .refuse, values: Values = .digest, position: SourcePosition) {
        self.destination = destination
        self.whenUnwritable = whenUnwritable
        self.values = values
        self.position = position
    }
}
