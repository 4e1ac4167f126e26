/// The sign-ins under way, bounded and short-lived.
struct PendingSignIns {
    private static let listenersMax = 64

    private var bySecret: [String: PendingSignIn] = [:]
    /// Those whose browser has come back, until it is known what came of them; by id.
    private var returned: [String: PendingSignIn] = [:]
    private let limits: SignInLimits

    init(limits: SignInLimits) { self.limits = limits }

    /// A link that was given out already for the same and not used.
    func open(for identity: CallerIdentity, _ upstream: String, scopes: [String], at now: ContinuousClock.Instant) -> PendingSignIn? {
        bySecret.values.first { pending in
            pending.caller.identity == identity && pending.demand.upstream == upstream && pending.demand.scopes == scopes && !pending.isUsed
                && now - pending.begun < limits.linkLife / 2
        }
    }

    /// False where there are too many; a caller's own eldest makes way. Returns whom to tell that theirs is over.
    mutating func add(_ pending: PendingSignIn, at now: ContinuousClock.Instant) -> (isAdded: Bool, over: [PendingSignIn]) {
        var over = dropExpired(at: now)
        let own = bySecret.values.filter { $0.person == pending.person }
        if own.count >= limits.pendingPerCallerMax, let eldest = own.min(by: { $0.begun < $1.begun }) {
            bySecret[eldest.secret] = nil
            over.append(eldest)
        }
        guard bySecret.count < limits.pendingMax else { return (false, over) }
        bySecret[pending.secret] = pending
        return (true, over)
    }

    /// The sign-in behind a link, used or not.
    func find(secret: String, at now: ContinuousClock.Instant) -> PendingSignIn? {
        bySecret[secret].flatMap { now - $0.begun < limits.linkLife ? $0 : nil }
    }

    /// Takes the link; nil where it was taken before.
    mutating func use(secret: String, at now: ContinuousClock.Instant) -> PendingSignIn? {
        guard let pending = find(secret: secret, at: now), !pending.isUsed else { return nil }
        bySecret[secret]?.isUsed = true
        return pending
    }

    mutating func depart(_ secret: String, _ departure: PendingSignIn.Departure) { bySecret[secret]?.departure = departure }

    /// The sign-in that a browser comes back from.
    func find(state: String, at now: ContinuousClock.Instant) -> PendingSignIn? {
        bySecret.values.first { $0.departure?.state == state && now - $0.begun < limits.linkLife }
    }

    /// Takes it, so that its link and its state work once; false where somebody else did. It is over when it is ended, not before.
    mutating func take(_ pending: PendingSignIn) -> Bool {
        guard let taken = bySecret.removeValue(forKey: pending.secret) else { return false }
        returned[taken.id] = taken
        return true
    }

    /// Ends one that was taken; whom to tell.
    mutating func end(_ pending: PendingSignIn) -> PendingSignIn? { returned.removeValue(forKey: pending.id) }

    /// False where it is over already.
    mutating func listen(id: String, _ listener: @escaping @Sendable () -> Void) -> Bool {
        if let count = returned[id]?.listeners.count {
            if count < Self.listenersMax { returned[id]?.listeners.append(listener) }
            return true
        }
        guard let pending = bySecret.values.first(where: { $0.id == id }) else { return false }
        if pending.listeners.count < Self.listenersMax { bySecret[pending.secret]?.listeners.append(listener) }
        return true
    }

    var isEmpty: Bool { bySecret.isEmpty && returned.isEmpty }

    mutating func dropExpired(at now: ContinuousClock.Instant) -> [PendingSignIn] {
        let over = bySecret.values.filter { now - $0.begun >= limits.linkLife }
        for pending in over { bySecret[pending.secret] = nil }
        return over
    }
}
