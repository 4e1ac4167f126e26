import Synchronization

/// When users' tokens for an upstream last turned out to be worth nothing: what was found out before about where its users sign in may no longer
/// be so (MCP 2026-07-28 basic/authorization/client-registration, "Authorization Server Binding").
final class SignInLosses: Sendable {
    private static let upstreamsMax = 1_000
    private let last = Mutex<[String: ContinuousClock.Instant]>([:])

    func note(_ upstream: String, at now: ContinuousClock.Instant) {
        last.withLock { if $0.count < Self.upstreamsMax || $0[upstream] != nil { $0[upstream] = now } }
    }

    /// Whether what was found out then may still be so.
    func isCurrent(_ found: ContinuousClock.Instant, of upstream: String) -> Bool { last.withLock { $0[upstream].map { found >= $0 } ?? true } }
}
