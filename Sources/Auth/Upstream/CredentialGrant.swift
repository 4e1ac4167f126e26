#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One form of credential: how a fresh one is made. When that is done is its slot's business.
package protocol CredentialGrant: Sendable {
    /// Whether each caller gets another one.
    var dependsOnCaller: Bool { get }
    /// Whether it is made from the caller's token.
    var dependsOnToken: Bool { get }
    /// Whether a fresh one costs no more than a look at files, so that a call may wait for it while the old one is still good.
    var isLocal: Bool { get }
    /// The secrets that it is made from.
    var references: [SecretReference] { get }

    /// Makes a fresh one. `refused` are the header lines that the upstream has refused, nil where the last one merely ends: those may not be
    /// used again, wherever they are kept.
    ///
    /// Called for one caller at a time, off the way of calls that have a credential; ends within some seconds.
    func issue(for caller: Caller, instead refused: [UInt8]?) async throws(CredentialFailure) -> IssuedCredential

    /// The upstream has refused also what was made in the place of refused lines: what it was made from is worth nothing.
    ///
    /// Throws why there is none from now on; returns where others may still be had.
    func giveUp(_ refused: [UInt8], for caller: Caller) async throws(CredentialFailure)
}

extension CredentialGrant {
    package var dependsOnCaller: Bool { false }
    package var dependsOnToken: Bool { false }
    package var isLocal: Bool { false }
    package var references: [SecretReference] { [] }
    package func giveUp(_ refused: [UInt8], for caller: Caller) async throws(CredentialFailure) {}
}

/// What grants and slots need of the world outside.
package struct CredentialServices: Sendable {
    package var environment: [String: String]
    package var fetch: Fetch
    /// Where users' tokens are kept.
    package var store: TokenStore?
    /// When users' tokens turned out to be worth nothing.
    let losses = SignInLosses()
    /// Starts something that no call waits for.
    package var background: @Sendable (@escaping @Sendable () async -> Void) -> Void
    package var now: @Sendable () -> ContinuousClock.Instant
    /// Seconds since 1970.
    package var date: @Sendable () -> Int

    package init(
        environment: [String: String], fetch: @escaping Fetch, store: TokenStore? = nil,
        background: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, date: @escaping @Sendable () -> Int = { time(nil) }
    ) {
        self.environment = environment
        self.fetch = fetch
        self.store = store
        self.background = background
        self.now = now
        self.date = date
    }
}
