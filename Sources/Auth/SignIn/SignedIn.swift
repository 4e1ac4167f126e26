/// Somebody has signed in: the gateway has a token of theirs for an upstream.
package struct SignedIn: Sendable {
    package let caller: Caller
    package let upstream: String
    /// What the token allows, as far as the server says; else what was asked for.
    package let scopes: [String]
}
