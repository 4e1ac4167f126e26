/// What proves the gateway to one upstream, as it was made: header fields, secret values among them.
package struct IssuedCredential: Sendable {
    package var fields: [(name: String, value: Secret)]
    /// How long it is good from when it was made; nil until it is refused.
    package var life: Duration?
    /// What it was made from and must be masked as well.
    package var sources: [Secret]

    package init(fields: [(name: String, value: Secret)], life: Duration? = nil, sources: [Secret] = []) {
        self.fields = fields
        self.life = life
        self.sources = sources
    }

    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    package static func bearer(_ token: Secret, life: Duration? = nil, sources: [Secret] = []) -> IssuedCredential {
        IssuedCredential(fields: [("Authorization", Secret("Bearer \(token.reveal())"))], life: life, sources: sources)
    }

    /// `Name: value` lines, each ended by CRLF.
    var lines: [UInt8] {
        var lines: [UInt8] = []
        for field in fields { lines.append(contentsOf: "\(field.name): \(field.value.reveal())\r\n".utf8) }
        return lines
    }
}
