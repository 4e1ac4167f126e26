import Auth
import Transport

/// A call that must wait until its caller has signed in.
struct SignInNeed: Error {
    let upstream: String
    /// What the upstream wants the token to allow; empty where there is no token.
    let scopes: [String]

    init?(_ error: UpstreamError, upstream: String) {
        switch error {
        case .credential(.signInNeeded(let upstream)): (self.upstream, scopes) = (upstream, [])
        case .credential(.scopesNeeded(let upstream, let scopes)): (self.upstream, self.scopes) = (upstream, scopes)
        case .insufficientScope(let scopes): (self.upstream, self.scopes) = (upstream, scopes)
        default: return nil
        }
    }

    init(upstream: String) { (self.upstream, scopes) = (upstream, []) }
}
