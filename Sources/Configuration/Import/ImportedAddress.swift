/// An address without what looks like a secret in it.
struct ImportedAddress {
    private(set) var text: String
    private(set) var isAddress = false
    private(set) var hasUserInformation = false
    /// Whether something in it was replaced, for a person to put in again.
    private(set) var hasPlaceholder = false

    init(_ original: String) {
        text = original
        guard let mark = original.firstRange(of: "://") else { return }
        isAddress = true
        let head = original[..<mark.upperBound]
        var rest = original[mark.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        if let at = authority.lastIndex(of: "@") {
            hasUserInformation = true
            rest = rest[rest.index(after: at)...]
        }
        let question = rest.firstIndex(of: "?") ?? rest.endIndex
        let segments = rest[..<question].split(separator: "/", omittingEmptySubsequences: false).map { part in
            SecretLook.isDense(String(part)) || SecretLook.isSecretValue(String(part)) ? placeholder() : String(part)
        }
        text = head + segments.joined(separator: "/")
        if question < rest.endIndex {
            let pairs = rest[rest.index(after: question)...].split(separator: "&", omittingEmptySubsequences: false).map { pair in
                let name = pair.prefix { $0 != "=" }
                let value = String(pair.dropFirst(name.count + 1))
                let isSecret = SecretLook.isSecretName(String(name)) || SecretLook.isSecretValue(value) || SecretLook.isDense(value)
                return isSecret ? "\(name)=\(placeholder())" : String(pair)
            }
            text += "?" + pairs.joined(separator: "&")
        }
        while let start = text.firstRange(of: "${"), let end = text[start.upperBound...].firstIndex(of: "}") {
            text.replaceSubrange(start.lowerBound...end, with: placeholder())
        }
    }

    private mutating func placeholder() -> String {
        hasPlaceholder = true
        return ImportedArguments.placeholder
    }
}
