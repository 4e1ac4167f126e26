import Diagnostics

/// A YAML document as a tree that remembers where everything stands.
struct YAMLNode: Hashable, Sendable {
    indirect enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// In the order written, no key twice.
        case mapping([Entry])
    }

    struct Entry: Hashable, Sendable {
        var key: String
        var keyPosition: SourcePosition
        var value: YAMLNode
    }

    var content: Content
    /// The first character; for a missing value, where it would stand.
    var position: SourcePosition
}

extension YAMLNode {
    var scalar: YAMLScalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
    var isNull: Bool { scalar?.kind == .null }

    /// What stands here, without its value: fit for places where secrets stand.
    var kind: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar):
            switch scalar.kind {
            case .null: "nothing"
            case .bool: "true or false"
            case .integer, .float, .notFinite: "a number"
            case .string: "text"
            }
        }
    }

    /// What stands here, with its value, cut off after 40 characters.
    var found: String {
        guard let scalar else { return kind }
        switch scalar.kind {
        case .null: return "nothing"
        case .bool(let value): return value ? "true" : "false"
        case .integer, .float, .notFinite: return "the number \(shortened(scalar.text))"
        case .string: return quoted(scalar.text)
        }
    }
}

/// `text` in double quotes, on one line, cut off after 40 characters: what messages show of what was written.
func quoted(_ text: String) -> String { "\"\(shortened(text))\"" }

private func shortened(_ text: String) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == 40 { return result + "…" }
        result.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return result
}
