import Diagnostics
import Synchronization

/// One credential as it is now: kept, renewed before it expires, looked at again when a file changed or the upstream refused it.
///
/// Whatever is under way is under way once, however many wait for it; while the old value is good, no call waits for the network.
final class CredentialSlot: Sendable {
    /// Files are looked at no more often than this.
    static let checkInterval = Duration.seconds(1)
    /// Two renewals because of refusals are at least so far apart where they cost others something.
    static let refusalPause = Duration.seconds(1)
    static let retryFirst = Duration.seconds(1)
    static let retryMax = Duration.seconds(60)
    static let waitersMax = 1_000

    private struct State {
        var lines: [UInt8]?
        var secrets: [Secret] = []
        /// From when on it may be refused, and from when on a fresh one is wanted; nil for never.
        var goodUntil: ContinuousClock.Instant?
        var renewAt: ContinuousClock.Instant?
        var stamps: [FileStamp?] = []
        var checked: ContinuousClock.Instant?
        var forced: ContinuousClock.Instant?
        var failure: CredentialFailure?
        var failures = 0
        var retryAt: ContinuousClock.Instant?
        var isRenewing = false
        var waiters: [CheckedContinuation<Void, Never>] = []

        func isGood(at now: ContinuousClock.Instant) -> Bool { lines != nil && goodUntil.map { now < $0 } ?? true }
        func isPausing(at now: ContinuousClock.Instant) -> Bool { retryAt.map { now < $0 } ?? false }
    }

    private enum Refusal {
        case other([UInt8]?, CredentialFailure?)
        case renew, wait, leave
    }

    private enum Step {
        case lines([UInt8])
        case failure(CredentialFailure)
        case renew(waits: Bool, old: [UInt8]?)
        case wait
    }

    private let grant: any CredentialGrant
    private let files: [String]
    private let services: CredentialServices
    private let log: Log
    private let state = Mutex(State())

    init(_ grant: any CredentialGrant, services: CredentialServices, log: Log) {
        self.grant = grant
        self.services = services
        self.log = log
        files = grant.references.flatMap(\.files)
    }

    /// The lines where nothing needs to be done for them.
    func known() -> [UInt8]? {
        let now = services.now()
        return state.withLock { state in isFresh(state, at: now) ? state.lines : nil }
    }

    /// The lines, made or made anew if need be.
    func lines(for caller: Caller) async throws(CredentialFailure) -> [UInt8] {
        var hasWaited = false
        while true {
            switch step(hasWaited: hasWaited) {
            case .lines(let lines): return lines
            case .failure(let failure): throw failure
            case .wait: await wait()
            case .renew(let waits, let old):
                services.background { await self.renew(for: caller) }
                if !waits, let old { return old }
                await wait()
            }
            hasWaited = true
        }
    }

    /// The upstream has refused `lines`: makes others. Nil when there are none to try with; throws when now there are none at all.
    func refused(_ lines: [UInt8], for caller: Caller) async throws(CredentialFailure) -> [UInt8]? {
        for _ in 0..<3 {
            let now = services.now()
            let plan = state.withLock { state -> Refusal in
                guard state.lines == lines else { return .other(state.lines, state.failure) }
                if state.isRenewing { return state.waiters.count < Self.waitersMax ? .wait : .leave }
                if state.isPausing(at: now) { return .leave }
                if !grant.isLocal, let forced = state.forced, now - forced < Self.refusalPause { return .leave }
                state.forced = now
                state.isRenewing = true
                return .renew
            }
            switch plan {
            case .other(let fresh?, _): return fresh
            case .other(nil, let failure?): throw failure
            case .other(nil, nil): return try await self.lines(for: caller)
            case .leave: return nil
            // What is under way may have begun before the refusal, and for another reason: then it is asked for once more.
            case .wait: await wait()
            case .renew:
                services.background { await self.renew(for: caller, instead: lines) }
                await wait()
                let (fresh, failure) = state.withLock { ($0.lines, $0.failure) }
                if fresh == nil, let failure { throw failure }
                return fresh == lines ? nil : fresh
            }
        }
        return nil
    }

    /// The upstream has refused also `lines`, which were made in the place of refused ones; throws where there are none from now on.
    func refusedAgain(_ lines: [UInt8], for caller: Caller) async throws(CredentialFailure) {
        guard state.withLock({ $0.lines == lines && !$0.isRenewing }) else { return }
        do {
            try await grant.giveUp(lines, for: caller)
        } catch {
            // Others may have come meanwhile.
            if state.withLock({ $0.lines == lines }) { fail(error, at: services.now()) }
            throw error
        }
    }

    /// Drops what is kept, so that the next call asks anew: after a sign-in, or when a token was taken back.
    func forget() {
        state.withLock { state in
            state.lines = nil
            state.failure = nil
            state.failures = 0
            state.retryAt = nil
        }
    }

    /// What must not be quoted from this upstream's answers.
    var secrets: [Secret] { state.withLock { $0.secrets } }

    // MARK: - When

    private func isFresh(_ state: State, at now: ContinuousClock.Instant) -> Bool {
        guard state.isGood(at: now) else { return false }
        if state.isRenewing || state.isPausing(at: now) { return true }
        if let renewAt = state.renewAt, now >= renewAt { return false }
        guard !files.isEmpty, let checked = state.checked else { return true }
        return now - checked < Self.checkInterval
    }

    private func step(hasWaited: Bool) -> Step {
        let now = services.now()
        return state.withLock { state in
            if let lines = state.lines, isFresh(state, at: now) { return .lines(lines) }
            // Whoever waited gets what came of it.
            if hasWaited, let failure = state.failure, !state.isRenewing { return .failure(failure) }
            if state.isRenewing {
                return state.waiters.count < Self.waitersMax ? .wait : .failure(.exchangeFailed("too many calls wait for a token"))
            }
            if state.isPausing(at: now), let failure = state.failure { return .failure(failure) }
            state.isRenewing = true
            let isGood = state.isGood(at: now)
            return .renew(waits: !isGood || grant.isLocal, old: isGood ? state.lines : nil)
        }
    }

    private func wait() async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard state.isRenewing else { return true }
                state.waiters.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
    }

    // MARK: - How

    private func renew(for caller: Caller, instead refused: [UInt8]? = nil) async {
        let stamps = await look()
        let now = services.now()
        let isUnchanged = state.withLock { state in
            state.checked = now
            return refused == nil && state.isGood(at: now) && state.stamps == stamps && state.renewAt.map { now < $0 } ?? true
        }
        if isUnchanged { return finish() }
        do throws(CredentialFailure) {
            let issued = try await grant.issue(for: caller, instead: refused)
            take(issued, stamps, at: services.now())
        } catch {
            fail(error, at: services.now())
        }
        finish()
    }

    private func look() async -> [FileStamp?] {
        guard !files.isEmpty else { return [] }
        let files = files
        return await OffLoop.run { files.map(FileStamp.init) }
    }

    private func take(_ issued: IssuedCredential, _ stamps: [FileStamp?], at now: ContinuousClock.Instant) {
        let wasFailing = state.withLock { state in
            // What was sent a moment ago may still be quoted.
            let old = state.secrets.prefix(8)
            state.secrets = issued.fields.map(\.value) + issued.sources + old
            state.lines = issued.lines
            state.stamps = stamps
            // Some time for the way to the upstream; and early enough that a failing server can be asked again.
            state.goodUntil = issued.life.map { now + $0 - min($0 / 10, .seconds(10)) }
            state.renewAt = issued.life.map { now + max($0 * 4 / 5, $0 - .seconds(60)) }
            state.failure = nil
            state.retryAt = nil
            defer { state.failures = 0 }
            return state.failures > 0
        }
        if wasFailing { log.info("its credential can be had again") }
    }

    private func fail(_ failure: CredentialFailure, at now: ContinuousClock.Instant) {
        let (isGood, isFirst) = state.withLock { state in
            state.failures += 1
            state.failure = failure
            switch failure {
            // The token was taken back, or is no longer for this caller: it must not be used on.
            case .signInNeeded, .scopesNeeded, .notForCaller, .tokenNeeded: state.lines = nil
            case .unresolved, .exchangeFailed: break
            }
            let isGood = state.isGood(at: now)
            // A look at a file may be had at each use; others are spared.
            if !failure.isLocal { state.retryAt = now + min(Self.retryFirst * (1 << min(state.failures - 1, 10)), Self.retryMax) }
            return (isGood, state.failures == 1)
        }
        if isGood, isFirst { log.warning("its credential can't be renewed, the old one stays in use: \(failure)") }
    }

    private func finish() {
        let waiters = state.withLock { state in
            state.isRenewing = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
