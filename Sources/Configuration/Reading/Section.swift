import Diagnostics

/// A mapping whose keys are known; a key that is not is a problem with the nearest one named.
struct Section {
    /// What may stand in a section, and what to say of keys that people bring from elsewhere.
    struct Keys {
        /// In the order of the documentation.
        var known: [String]
        /// Keys of other tools or of later versions, with the whole message; they fail closed.
        var refused: [String: (what: String, fix: String)] = [:]
    }

    let position: SourcePosition
    private let values: [String: YAMLNode]
    private let positions: [String: SourcePosition]
    private(set) var hasRefusedKeys = false
    /// The known keys that unknown ones seem to mean.
    private var meant: Set<String> = []

    /// Nil, and the problem noted, where `node` is no mapping; `name` says what it should be, as in `an upstream`.
    init?(_ node: YAMLNode, _ name: String, _ keys: Keys, _ findings: inout Findings) {
        guard let entries = node.entries(name, &findings) else { return nil }
        position = node.position
        var values: [String: YAMLNode] = [:]
        var positions: [String: SourcePosition] = [:]
        for entry in entries {
            if let refused = keys.refused[entry.key] {
                findings.add(refused.what, at: entry.keyPosition, fix: refused.fix)
                hasRefusedKeys = true
            } else if keys.known.contains(entry.key) {
                values[entry.key] = entry.value
            } else {
                let near = suggestion(for: entry.key, among: keys.known)
                if let near { meant.insert(near) }
                let fix = near.map { "did you mean \"\($0)\"?" } ?? "the keys are \(keys.known.joined(separator: ", "))"
                findings.add("\(name) has no key \(quoted(entry.key))", at: entry.keyPosition, fix: fix)
            }
            positions[entry.key] = entry.keyPosition
        }
        self.values = values
        self.positions = positions
    }

    /// The value of a known key; nil where it is not written.
    subscript(key: String) -> YAMLNode? { values[key] }

    /// Whether the key is written, be it known or refused.
    func has(_ key: String) -> Bool { positions[key] != nil }

    /// Whether a key that is not known seems to mean this one, so that its absence is told already.
    func isMisspelt(_ key: String) -> Bool { values[key] == nil && meant.contains(key) }

    /// Where the key stands, else the section.
    func position(of key: String) -> SourcePosition { positions[key] ?? position }
}
