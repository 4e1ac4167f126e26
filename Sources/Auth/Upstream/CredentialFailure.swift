/// Why there is no credential. The texts are for the log: they name references and addresses, never a value.
package enum CredentialFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A secret that it is made from can't be had.
    case unresolved(String)
    /// The authorization server gave no token.
    case exchangeFailed(String)
    /// The caller has not signed in to this upstream yet.
    case signInNeeded(upstream: String)
    /// The upstream wants the caller's token to allow more, already for its lists (RFC 6750 §3.1).
    case scopesNeeded(upstream: String, [String])
    /// There is none for this caller: no entry's `for:` fits, or nobody could own it.
    case notForCaller(String)
    /// It is made from the caller's token, and they brought none that is still good.
    case tokenNeeded(String)

    package var description: String {
        switch self {
        case .unresolved(let text), .exchangeFailed(let text), .notForCaller(let text), .tokenNeeded(let text): text
        case .signInNeeded(let upstream): "the caller has not signed in to \(upstream) yet"
        case .scopesNeeded(let upstream, let scopes): "\(upstream) wants a token with more scopes: \(scopes.joined(separator: " "))"
        }
    }

    /// Whether it is for the caller to mend it.
    package var isOfCaller: Bool {
        switch self {
        case .signInNeeded, .scopesNeeded, .notForCaller, .tokenNeeded: true
        case .unresolved, .exchangeFailed: false
        }
    }

    /// Whether it is mended by a sign-in of the caller's.
    package var isOfSignIn: Bool {
        switch self {
        case .signInNeeded, .scopesNeeded: true
        case .notForCaller, .tokenNeeded, .unresolved, .exchangeFailed: false
        }
    }

    /// Whether trying again at once may help: nobody else is bothered by it.
    var isLocal: Bool { if case .exchangeFailed = self { false } else { true } }
}
