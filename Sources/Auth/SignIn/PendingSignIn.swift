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
    /// Told once, when it is over, well or not.
    var listeners: [@Sendable () -> Void] = []
}
