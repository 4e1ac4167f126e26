/// What a `WWW-Authenticate: Bearer …` says (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).
struct BearerChallenge: Hashable, Sendable {
    private(set) var parameters: [String: String] = [:]

    /// The first Bearer challenge in a field's value; nil where there is none.
    init?(_ field: String) {
        guard field.utf8.count <= 8_192 else { return nil }
        var rest = Array(field.utf8)[...]
        var isBearer = false
        var isFound = false
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            let word = rest.prefix { isTokenByte($0) }
            guard !word.isEmpty else { break }
            let name = String(decoding: word, as: UTF8.self).lowercased()
            rest = rest[word.endIndex...]
            let after = rest.drop { $0 == 0x20 || $0 == 0x09 }
            // `name=` is a parameter; anything else begins the next challenge.
            guard after.first == UInt8(ascii: "="), after.dropFirst().first.map({ $0 != UInt8(ascii: "=") }) ?? false else {
                if isFound { break }
                isBearer = name == "bearer"
                isFound = isBearer
                continue
            }
            rest = after.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
            guard let value = Self.value(&rest) else { return nil }
            // Two readers could take different ones.
            if isBearer { parameters[name] = parameters[name] ?? value }
        }
        guard isFound else { return nil }
    }

    var resourceMetadata: String? { parameters["resource_metadata"] }
    var scopes: [String] { (parameters["scope"] ?? "").split(separator: " ").prefix(64).map(String.init) }

    private static func value(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.first == UInt8(ascii: "\"") else {
            let word = rest.prefix { isTokenByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
            rest = rest[word.endIndex...]
            return String(decoding: word, as: UTF8.self)
        }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        return nil
    }
}

/// RFC 9110 §5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
}
