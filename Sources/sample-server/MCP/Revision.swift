/// The revisions that the sample servers speak.
enum Revision {
    static let modern = "2026-07-28"
    /// The newest comes first.
    static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
    /// What a legacy HTTP client speaks that names no revision (2025-06-18, basic/transports).
    static let assumed = "2025-03-26"
}

/// Which revisions a server was started to speak.
enum Eras: String, CaseIterable {
    case legacy, modern, both

    var speaksLegacy: Bool { self != .modern }
    var speaksModern: Bool { self != .legacy }
    var revisions: [String] { (speaksModern ? [Revision.modern] : []) + (speaksLegacy ? Revision.legacy : []) }
}

/// How one request wants to be answered.
enum Era {
    case legacy, modern
}
