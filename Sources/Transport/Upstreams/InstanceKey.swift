import Auth
import MCPProtocol

/// What tells one instance of an upstream from another: calls with equal keys share a link, a child or a session there.
package struct InstanceKey: Hashable, Sendable {
    /// Whose state an instance may hold (`instances:` of the upstream).
    package enum Owner: Hashable, Sendable {
        case everybody
        case user(CallerIdentity)
        /// A client's session, by its key.
        case session(String)
    }

    package var credential: CredentialKey
    /// What a legacy upstream is told, in `initialize`, that it may ask; a modern one is told with each request.
    package var abilities: ClientAbilities
    package var owner: Owner
}
