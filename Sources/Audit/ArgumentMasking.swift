import Auth
import JSON

/// Takes secrets out of arguments before they are recorded.
package struct ArgumentMasking: Sendable {
    /// Longer arguments are recorded by their digest and length only, in bytes.
    package static let bytesMax = 64 * 1024
    private static let masked = JSONValue.string("‹secret›")

    /// Whether a member of that name holds a secret; the value is nil where it is no text.
    private let isSecretMember: @Sendable (_ name: String, _ value: String?) -> Bool
    /// Whether a text looks like a secret, whatever its name.
    private let isSecretValue: @Sendable (String) -> Bool

    package init(
        isSecretMember: @escaping @Sendable (_ name: String, _ value: String?) -> Bool, isSecretValue: @escaping @Sendable (String) -> Bool
    ) {
        self.isSecretMember = isSecretMember
        self.isSecretValue = isSecretValue
    }

    /// The arguments with secrets masked; nil where they are too long or have a key twice, which could be read in two ways.
    func arguments(of message: AuditedMessage, concealing names: Set<String>, redaction: Redaction) -> JSONValue? {
        guard let range = message.arguments, range.count <= Self.bytesMax, let value = try? JSONValue(parsing: range, of: message.bytes) else {
            return nil
        }
        guard case .object(var members) = value else { return masked(value, redaction) }
        for index in members.indices where names.contains(members[index].key) { members[index].value = Self.masked }
        return masked(.object(members), redaction)
    }

    private func masked(_ value: JSONValue, _ redaction: Redaction) -> JSONValue {
        switch value {
        case .string(let text): isSecretValue(text) ? Self.masked : .string(redaction.mask(text))
        case .array(let elements): .array(elements.map { masked($0, redaction) })
        case .object(let members):
            .object(
                members.map { member in
                    let name = isSecretValue(member.key) ? "‹secret›" : redaction.mask(member.key)
                    let isHidden = isSecretMember(member.key, member.value.string) && !member.value.isHarmless
                    return JSONValue.Member(name, isHidden ? Self.masked : masked(member.value, redaction))
                })
        default: value
        }
    }
}

extension JSONValue {
    /// Truth values and null are nobody's secret; numbers may be (a PIN).
    fileprivate var isHarmless: Bool {
        switch self {
        case .null, .bool: true
        default: false
        }
    }
}
