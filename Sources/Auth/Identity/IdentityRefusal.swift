/// Why nobody was recognised in what a client presented. The texts are for the log: a caller is not told what was wrong.
package enum IdentityRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing was presented, and anonymous callers are not let in: 401 without `error`.
    case missing
    /// What was presented proves nobody: 401 with `error="invalid_token"`.
    case invalid(String)
    /// An issuer's keys can't be had now: 503.
    case unavailable(String)

    package var description: String {
        switch self {
        case .missing: "nothing was presented"
        case .invalid(let reason), .unavailable(let reason): reason
        }
    }
}
