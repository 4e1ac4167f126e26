/// What tells one credential of an upstream from another: callers with equal keys share its links and lists.
package struct CredentialKey: Hashable, Sendable {
    /// Which entry of the list; 0 where there is no list.
    package let choice: Int
    /// Whose it is; nil where it is the same for everybody.
    package let identity: CallerIdentity?
    /// What the caller's token says but for its times and numbers, where the credential is made from that: a narrow token must not get what a
    /// wide one was given.
    package let content: SHA256Digest?

    package init(choice: Int, identity: CallerIdentity? = nil, content: SHA256Digest? = nil) {
        self.choice = choice
        self.identity = identity
        self.content = content
    }

    /// The only one of an upstream whose credential is the same for everybody.
    package static let shared = CredentialKey(choice: 0)

    /// The same in every process, and no name in it: 16 hexadecimal digits.
    package var digest: String {
        let identity = identity.map { [$0.realm, $0.user ?? "\u{0}", $0.client ?? "\u{0}"] } ?? []
        let content = content.map { [String($0.hexadecimal)] } ?? []
        let text = ([String(choice)] + identity + content).map { "\($0.utf8.count):\($0)" }.joined()
        return String(SHA256Digest(of: text).hexadecimal.prefix(16))
    }
}
