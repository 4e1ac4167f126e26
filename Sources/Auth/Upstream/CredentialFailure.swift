/// Why there is no credential. The texts are for the log: they name references and addresses, never a value.
package enum CredentialFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A secret that it is made from can't be had.
    case unresolved(String)
    /// The authorization server gave no token.
    case exchangeFailed(String)
    /// The caller has not signed in to this upstream yet.
    case signInNeeded(upstream: String)
    /// There is none for this caller: no entry's `for:` fits, or nobody could own it.
    case notForCaller(String)
    /// It is made from the caller's token, and they brought none that is still good.
    case tokenNeeded(String)

    package var description: String {
        switch self {
        case .unresolved(let text), .exchangeFailed(let text), .notForCaller(let text), .tokenNeeded(let text): text
        case .signInNeeded(let upstream): "the caller has not signed in to \(upstream) yet"
        }
    }

    /// Whether it is for the caller to mend it.
    package var isOfCaller: Bool {
        switch self {
        case .signInNeeded, .notForCaller, .tokenNeeded: true
        case .unresolved, .exchangeFailed: false
        }
    }

    /// Whether trying again at once may help: nobody else is bothered by it.
    var isLocal: Bool { if case .exchangeFailed = self { false } else { true } }
}
