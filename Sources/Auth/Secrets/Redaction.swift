/// Masks the secrets that one upstream was given wherever its own words are quoted: an upstream may repeat what it got.
package struct Redaction: Sendable {
    /// Shorter values would mask innocent text.
    private static let lengthMin = 6
    private static let excerptLength = 300
    private let secrets: [String]

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

    package func mask(_ text: String) -> String {
        secrets.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "‹secret›") : $0 }
    }

    /// The same, cut to what a message may quote; after masking, so that no half of a secret is left.
    package func excerpt(_ text: String) -> String {
        let text = mask(text)
        return text.count > Self.excerptLength ? text.prefix(Self.excerptLength) + "…" : text
    }
}
