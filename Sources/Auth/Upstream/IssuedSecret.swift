/// A client secret that an authorization server gave out when the gateway registered there (RFC 7591 §3.2.1).
package struct IssuedSecret: Hashable, Sendable {
    package let value: Secret
    /// In `Authorization: Basic`, else in the form.
    package let isBasic: Bool

    package init(_ value: String, isBasic: Bool) {
        self.value = Secret(value)
        self.isBasic = isBasic
    }

    package static func == (a: IssuedSecret, b: IssuedSecret) -> Bool { a.isBasic == b.isBasic && a.value.reveal() == b.value.reveal() }
    package func hash(into hasher: inout Hasher) { hasher.combine(isBasic) }
}
