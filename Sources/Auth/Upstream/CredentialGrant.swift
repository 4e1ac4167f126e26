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

    /// Makes a fresh one. `isForced` where the upstream has refused the last one: nothing that is kept elsewhere may be used unasked.
    ///
    /// Called for one caller at a time, off the way of calls that have a credential; ends within some seconds.
    func issue(for caller: Caller, isForced: Bool) async throws(CredentialFailure) -> IssuedCredential
}

extension CredentialGrant {
    package var dependsOnCaller: Bool { false }
    package var dependsOnToken: Bool { false }
    package var isLocal: Bool { false }
    package var references: [SecretReference] { [] }
}

/// What grants and slots need of the world outside.
package struct CredentialServices: Sendable {
    package var environment: [String: String]
    package var fetch: Fetch
    /// Where users' tokens are kept.
    package var store: TokenStore?
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
