/// A sign-in that was asked for and is not over.
struct PendingSignIn: Sendable {
    /// What the browser was sent away with.
    struct Departure: Sendable {
        let state: String
        let proof: ProofKey
        /// Of the browser's cookie.
        let browser: SHA256Digest
        let client: OAuthClientDefinition
        let site: SignInSite
    }

    let id: String
    /// In the link's address.
    let secret: String
    let caller: Caller
    let demand: SignInDemand
    let plan: SignInPlan
    let site: SignInSite
    let begun: ContinuousClock.Instant
    /// Nil until a person has agreed.
    var departure: Departure?
    /// Whether somebody is about to be sent on: a link works once.
    var isUsed = false
    /// Who has a share of the places: a user, with however many clients; a client by itself.
    var person: CallerIdentity {
        let identity = caller.identity
        return identity.user == nil ? identity : CallerIdentity(realm: identity.realm, user: identity.user, client: nil)
    }
    /// Told once, when it is over, well or not.
    var listeners: [@Sendable () -> Void] = []
}
