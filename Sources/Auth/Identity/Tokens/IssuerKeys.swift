import Diagnostics
import Synchronization

/// The keys of one issuer: fetched when they are first needed or no longer known, kept while the issuer is down.
final class IssuerKeys: Sendable {
    /// A key that is unknown may be a new one: looked for so many times in so many seconds, whatever tokens people send. The spare ones
    /// are for a key that is new a moment after somebody made one up.
    static let looks = 3
    static let looksTime = 90
    /// Before keys that could not be read are asked for again, in seconds.
    static let pause = 30
    /// The same while there are no keys at all.
    static let firstPause = 5
    /// How long keys stay in use that could not be confirmed, in seconds.
    static let ageMax = 24 * 3_600
    private static let freshness = 60...3_600
    private static let freshnessStandard = 600
    private static let waitersMax = 1_000

    struct State {
        var set: KeySet?
        /// When `set` was read, when it shall be read again, when that was tried, at most `looks` times; seconds since 1970.
        var read = 0
        var due = 0
        var tried: [Int] = []
        var discovered: (address: String, at: Int)?
        var failure = "its keys were not read yet"
        /// Whether the failure was logged that lasts.
        var isLogged = false
        var isFetching = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let settings: IssuerSettings
    private let fetch: Mutex<Fetch>
    private let now: @Sendable () -> Int
    private let state = Mutex(State())
    private let log = Log("identity")

    init(_ settings: IssuerSettings, fetch: @escaping Fetch, clock: @escaping @Sendable () -> Int) {
        self.settings = settings
        self.fetch = Mutex(fetch)
        now = clock
    }

    /// Serves another configuration from now on; nil where its keys stand elsewhere. What is being read is not read twice.
    func continued(for other: IssuerSettings, fetch: @escaping Fetch) -> IssuerKeys? {
        guard isSame(settings.issuer, other.issuer), settings.jwksURL == other.jwksURL else { return nil }
        self.fetch.withLock { $0 = fetch }
        return self
    }

    /// The keys as known; nil where there are none, or they are older than may be.
    var current: KeySet? { state.withLock { abs(now() - $0.read) <= Self.ageMax ? $0.set : nil } }

    /// Why there are none.
    var failure: String { state.withLock { $0.failure } }

    /// Whether it is time to read them again.
    var isDue: Bool { state.withLock { now() >= $0.due && hasPaused($0) } }

    /// Reads the keys again, unless that was done a moment ago; whoever asks meanwhile waits for the same answer.
    func refresh() async {
        enum Plan { case fetch, wait, leave }
        let plan = state.withLock { state -> Plan in
            if state.isFetching { return .wait }
            guard hasPaused(state) else { return .leave }
            state.isFetching = true
            state.tried = state.tried.suffix(Self.looks - 1) + [now()]
            return .fetch
        }
        switch plan {
        case .leave: return
        case .wait: await wait()
        case .fetch:
            let outcome = await read()
            let waiters = state.withLock { finish(outcome, &$0) }
            for waiter in waiters { waiter.resume() }
        }
    }

    /// A clock that was set back must not stop this for long.
    private func hasPaused(_ state: State) -> Bool {
        guard state.set != nil else { return state.tried.last.map { abs(now() - $0) >= Self.firstPause } ?? true }
        return state.tried.count < Self.looks || state.tried.first.map { abs(now() - $0) >= Self.looksTime } ?? true
    }

    private func wait() async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard state.isFetching, state.waiters.count < Self.waitersMax else { return true }
                state.waiters.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
    }

    private struct Answer {
        var set: KeySet
        var freshness: Int
    }

    private func read() async -> Result<Answer, FetchFailure> {
        let fetch = fetch.withLock { $0 }
        do throws(FetchFailure) {
            let address = try await address(fetch)
            // Configured or on the issuer's own host it is as trusted as the issuer's address; elsewhere only the metadata vouches for it.
            let isTrusted = settings.jwksURL != nil || Self.host(address) == Self.host(settings.issuer)
            var request = FetchRequest(get: address, isTrusted ? .configured : .discovered)
            request.bytesMax = KeySet.bytesMax
            let response = try await fetch(request)
            guard response.status == 200 else { throw FetchFailure("\(address) answers \(response.status)") }
            guard let set = KeySet(parsing: response.body) else { throw FetchFailure("\(address) holds no keys to verify with") }
            return .success(Answer(set: set, freshness: Self.freshness(of: response)))
        } catch {
            return .failure(error)
        }
    }

    private func finish(_ outcome: Result<Answer, FetchFailure>, _ state: inout State) -> [CheckedContinuation<Void, Never>] {
        switch outcome {
        case .success(let answer):
            if state.isLogged { log.info("the keys of \(settings.issuer) can be read again") }
            (state.set, state.read, state.due, state.isLogged) = (answer.set, now(), now() + answer.freshness, false)
        case .failure(let failure):
            if !state.isLogged || state.failure != failure.description {
                let rest = state.set == nil ? "its tokens are refused" : "the keys known so far stay in use"
                log.warning("the keys of \(settings.issuer) can't be read: \(failure); \(rest)")
            }
            state.failure = failure.description
            state.isLogged = true
            state.discovered = nil
            state.due = now() + (state.set == nil ? Self.firstPause : Self.pause)
        }
        state.isFetching = false
        defer { state.waiters = [] }
        return state.waiters
    }

    /// Where the keys are; what was discovered holds for an hour.
    private func address(_ fetch: Fetch) async throws(FetchFailure) -> String {
        if let address = settings.jwksURL { return address }
        if let known = state.withLock({ $0.discovered }), abs(now() - known.at) < 3_600 { return known.address }
        var failure = FetchFailure("\(settings.issuer) is no address")
        for place in IssuerMetadata.addresses(of: settings.issuer) {
            do throws(FetchFailure) {
                let response = try await fetch(FetchRequest(get: place, .configured))
                guard response.status == 200 else { throw FetchFailure("\(place) answers \(response.status)") }
                let address = try IssuerMetadata.keySetAddress(in: response.body, of: settings.issuer)
                state.withLock { $0.discovered = (address, now()) }
                return address
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// `max-age` of the answer, within bounds (RFC 9111 §5.2.2.1).
    private static func freshness(of response: FetchResponse) -> Int {
        let directives = response.fields.filter { $0.name == "cache-control" }.flatMap { $0.value.lowercased().split(separator: ",") }
        for directive in directives {
            let word = directive.drop { $0 == " " }
            guard word.hasPrefix("max-age="), let seconds = Int(word.dropFirst(8).prefix { $0.isNumber }) else { continue }
            return min(max(seconds, freshness.lowerBound), freshness.upperBound)
        }
        return freshnessStandard
    }

    private static func host(_ address: String) -> Substring {
        guard let mark = address.firstRange(of: "://") else { return "" }
        return address[mark.upperBound...].prefix { $0 != "/" }
    }
}
