/// What tells one credential of an upstream from another: callers with equal keys share its links and lists.
package struct CredentialKey: Hashable, Sendable {
    /// Which entry of the list; 0 where there is no list.
    package let choice: Int
    /// Whose it is; nil where it is the same for everybody.
    package let identity: CallerIdentity?
    /// What the caller's token allowed, where the credential is made from that: a narrow token must not get what a wide one was given.
    package let scopes: Set<String>

    package init(choice: Int, identity: CallerIdentity? = nil, scopes: Set<String> = []) {
        self.choice = choice
        self.identity = identity
        self.scopes = scopes
    }

    /// The only one of an upstream whose credential is the same for everybody.
    package static let shared = CredentialKey(choice: 0)
}
