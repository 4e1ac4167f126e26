/// Masks the secrets that one upstream was given wherever its own words are quoted: an upstream may repeat what it got.
package struct Redaction: Sendable {
    /// Shorter values would mask innocent text.
    private static let lengthMin = 6
    private static let excerptLength = 300
    private static let mark = "‹secret›"
    private var secrets: [String]

    package init(_ secrets: [Secret] = []) {
        // Longer ones first, since one may hold another.
        self.secrets = Set(
            secrets.flatMap { secret in
                let value = secret.reveal()
                let parts = value.split(separator: " ").map(String.init)
                return parts.count == 2 ? [value, parts[1]] : [value]
            }.filter { $0.utf8.count >= Self.lengthMin }
        ).sorted { $0.utf8.count > $1.utf8.count }
    }

    /// Masks what either does.
    package func adding(_ other: Redaction) -> Redaction {
        var both = self
        both.secrets = Set(secrets + other.secrets).sorted { $0.utf8.count > $1.utf8.count }
        return both
    }

    /// The text with every secret masked, at its end also the beginning of one: what is quoted may have been cut there.
    package func mask(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            let masked = text.contains(secret) ? text.replacing(secret, with: Self.mark) : text
            return Self.maskEnd(of: masked, secret: Array(secret.utf8))
        }
    }

    private static func maskEnd(of text: String, secret: [UInt8]) -> String {
        let bytes = Array(text.utf8)
        let first = max(0, bytes.count - secret.count + 1)
        guard bytes.count - lengthMin >= first else { return text }
        for start in first...(bytes.count - lengthMin) where secret.starts(with: bytes[start...]) {
            return String(decoding: bytes[..<start], as: UTF8.self) + mark
        }
        return text
    }

    /// The same, cut to what a message may quote; after masking, so that no half of a secret is left.
    package func excerpt(_ text: String) -> String {
        let text = mask(text)
        return text.count > Self.excerptLength ? text.prefix(Self.excerptLength) + "…" : text
    }
}
