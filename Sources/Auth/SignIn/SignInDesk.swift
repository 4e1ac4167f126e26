import Diagnostics
import Synchronization

/// Where users sign in to upstreams: gives out links, serves their pages, and keeps the tokens that come of it.
///
/// A link is bound to the caller who got it and works once; what comes back must come from the browser that was sent away.
package final class SignInDesk: Sendable {
    /// What was found out about where an upstream's users sign in, or is being found out.
    private struct Discovery {
        let demand: SignInDemand
        let begun: ContinuousClock.Instant
        /// Nil while it is under way.
        var outcome: Result<SignInPlan, FetchFailure>?
        var waiters: [CheckedContinuation<Void, Never>] = []

        func isOf(_ other: SignInDemand) -> Bool { demand.address == other.address && demand.definition == other.definition }
    }

    private struct State {
        var pending: PendingSignIns
        var plans: [String: Discovery] = [:]
        var site: SignInSite?
        /// Whether a caller would still be let in.
        var isStillGood: @Sendable (Caller) -> Bool = { _ in true }
        var onSignIn: (@Sendable (SignedIn) -> Void)?
        var documents: Set<String> = []
    }

    let services: CredentialServices
    let limits: SignInLimits
    /// Seals the forms' tokens; of this process only.
    let seal: Seal
    let log = Log("sign-in")
    private let state: Mutex<State>

    package init(services: CredentialServices, limits: SignInLimits = SignInLimits()) throws(Seal.Failure) {
        self.services = services
        self.limits = limits
        seal = try Seal(key: Seal.random(Seal.keyLength))
        state = Mutex(State(pending: PendingSignIns(limits: limits)))
    }

    /// Where browsers find us from now on; nil where they can't.
    package var site: SignInSite? {
        get { state.withLock { $0.site } }
        set { state.withLock { $0.site = newValue } }
    }

    /// Whether nobody is signing in.
    package var isIdle: Bool {
        let now = services.now()
        let (over, isIdle) = state.withLock { ($0.pending.dropExpired(at: now), $0.pending.isEmpty) }
        tell(over)
        return isIdle
    }

    /// The upstreams that we introduce ourselves to with a document.
    package func introduce(to upstreams: Set<String>) { state.withLock { $0.documents = upstreams } }

    /// A link is worth nothing once its caller would not be let in any more: `isStillGood` says whether they would.
    package func recognise(with isStillGood: @escaping @Sendable (Caller) -> Bool) { state.withLock { $0.isStillGood = isStillGood } }

    /// Called whenever somebody has signed in, on whichever thread that happens.
    package func whenSignedIn(_ body: @escaping @Sendable (SignedIn) -> Void) {
        state.withLock { $0.onSignIn = body }
    }

    /// A link for this caller. Asks the upstream and its authorization server where that was not done lately: within some seconds.
    package func link(for demand: SignInDemand, _ caller: Caller) async throws(SignInFailure) -> SignInLink {
        guard caller.proof != .none else { throw .anonymous }
        guard let site else { throw .noSite }
        let now = services.now()
        var demand = demand
        demand.scopes = try await scopes(for: demand, caller)
        let (scopes, upstream) = (demand.scopes, demand.upstream)
        if let open = state.withLock({ $0.pending.open(for: caller.identity, upstream, scopes: scopes, at: now) }), open.site == site,
            services.losses.isCurrent(open.begun, of: upstream)
        {
            return SignInLink(id: open.id, url: site.link(open.secret))
        }
        let plan = try await plan(for: demand)
        let pending: PendingSignIn
        do {
            pending = PendingSignIn(
                id: try Nonce.make(), secret: try Nonce.make(), caller: caller, demand: demand, plan: plan, site: site, begun: services.now())
        } catch {
            throw .unavailable("no random numbers can be had")
        }
        let (isAdded, over) = state.withLock { $0.pending.add(pending, at: now) }
        tell(over)
        guard isAdded else { throw .tooMany }
        log.info("\(caller) is asked to sign in to \(demand.upstream)")
        return SignInLink(id: pending.id, url: site.link(pending.secret))
    }

    /// Calls `body` once, when that sign-in is over, well or not; at once where it is.
    package func whenOver(_ id: String, _ body: @escaping @Sendable () -> Void) {
        if !state.withLock({ $0.pending.listen(id: id, body) }) { body() }
    }

    /// What is asked for besides the configured scopes: what the caller has, and what the upstream wants now.
    private func scopes(for demand: SignInDemand, _ caller: Caller) async throws(SignInFailure) -> [String] {
        let wanted = demand.scopes.filter(isScope)
        guard !wanted.isEmpty, let store = services.store else { return [] }
        let known: SignInToken?
        do {
            known = try await store.signInToken(of: caller.identity, demand.upstream)
        } catch {
            throw .unavailable(error.description)
        }
        guard let known else { return wanted }
        // Asking again for the same would go on without end.
        guard !Set(wanted).isSubset(of: known.askedScopes) else { throw .inVain }
        return known.askedScopes + wanted.filter { !known.askedScopes.contains($0) }
    }

    /// Found out once for all who ask at the same time, and not again for a while, whether it went well or not.
    private func plan(for demand: SignInDemand) async throws(SignInFailure) -> SignInPlan {
        enum Step { case use(Result<SignInPlan, FetchFailure>), find, wait, full }
        while true {
            let now = services.now()
            let (step, waiters) = state.withLock { state -> (Step, [CheckedContinuation<Void, Never>]) in
                if let known = state.plans[demand.upstream], known.isOf(demand) {
                    guard let outcome = known.outcome else { return (known.waiters.count < 1_000 ? .wait : .full, []) }
                    let isCurrent = services.losses.isCurrent(known.begun, of: demand.upstream)
                    if isCurrent, now - known.begun < ((try? outcome.get()) == nil ? limits.failureLife : limits.planLife) {
                        return (.use(outcome), [])
                    }
                }
                if state.plans.count >= 1_000 { state.plans = state.plans.filter { $0.value.outcome == nil } }
                guard state.plans.count < 1_000 else { return (.full, []) }
                // Those who wait for what an earlier configuration wanted find out anew, too.
                let replaced = state.plans.updateValue(Discovery(demand: demand, begun: now), forKey: demand.upstream)
                return (.find, replaced?.waiters ?? [])
            }
            for waiter in waiters { waiter.resume() }
            switch step {
            case .use(.success(let plan)): return plan
            case .use(.failure(let failure)): throw .unavailable(failure.description)
            case .full: throw .tooMany
            case .wait: await waitForPlan(of: demand)
            case .find: await findPlan(for: demand)
            }
        }
    }

    private func findPlan(for demand: SignInDemand) async {
        let outcome: Result<SignInPlan, FetchFailure>
        do throws(FetchFailure) {
            outcome = .success(try await SignInDiscovery(definition: demand.definition, address: demand.address, fetch: services.fetch).plan())
        } catch {
            outcome = .failure(error)
        }
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            // The configuration may be another by now.
            guard let known = state.plans[demand.upstream], known.isOf(demand) else { return [] }
            state.plans[demand.upstream]?.outcome = outcome
            state.plans[demand.upstream]?.waiters = []
            return known.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func waitForPlan(of demand: SignInDemand) async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard let known = state.plans[demand.upstream], known.isOf(demand), known.outcome == nil else { return true }
                state.plans[demand.upstream]?.waiters.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
    }

    // MARK: - For the pages

    func pending(secret: String) -> PendingSignIn? { stillGood(state.withLock { $0.pending.find(secret: secret, at: services.now()) }) }
    func pending(state value: String) -> PendingSignIn? { stillGood(state.withLock { $0.pending.find(state: value, at: services.now()) }) }
    func use(secret: String) -> PendingSignIn? { stillGood(state.withLock { $0.pending.use(secret: secret, at: services.now()) }) }
    private func stillGood(_ pending: PendingSignIn?) -> PendingSignIn? {
        pending.flatMap { state.withLock { $0.isStillGood }($0.caller) ? $0 : nil }
    }
    func depart(_ secret: String, _ departure: PendingSignIn.Departure) { state.withLock { $0.pending.depart(secret, departure) } }
    func serves(document upstream: String) -> Bool { state.withLock { $0.documents.contains(upstream) } }

    /// Takes it off the list, so that its state works once; false where somebody else did.
    func take(_ pending: PendingSignIn) -> Bool { state.withLock { $0.pending.take(pending) } }

    /// What came of one that was taken is known now.
    func end(_ pending: PendingSignIn) { if let over = state.withLock({ $0.pending.end(pending) }) { tell([over]) } }

    /// Whoever waits for them need not wait any more.
    private func tell(_ over: [PendingSignIn]) { for pending in over { for listener in pending.listeners { listener() } } }

    func signedIn(_ signedIn: SignedIn) {
        log.info("\(signedIn.caller) has signed in to \(signedIn.upstream)")
        state.withLock { $0.onSignIn }?(signedIn)
    }
}
