import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// One real MCP server behind the gateway, as one credential reaches it: opened when first needed, kept open, opened again when it is lost.
package final class Upstream: Sendable {
    package let definition: UpstreamDefinition
    package let credential: LinkCredential
    package let key: InstanceKey
    /// Whether it stays although nobody uses it.
    private let isKept: Bool
    private let opener: UpstreamOpener
    private let limits: UpstreamLimits
    private let loop: EventLoop
    private let log: Log
    private let onNews: @Sendable (Upstream, UpstreamNews) -> Void
    private let onEnd: @Sendable (Upstream) -> Void
    private let watched: WatchedResources
    private let addressees = Addressees()
    private let events = Mailbox<Event>(capacity: 1_024)
    private let state = Mutex(State())

    private enum Event: Sendable {
        case link(LinkEvent, generation: Int)
        /// Somebody needs it that could not have it for want of a credential.
        case wanted
        /// Somebody lists what the upstream has said is good for a short time only, and that is over.
        case stale
        /// Another instance has other lists now than it had.
        case changedElsewhere(UpstreamList)
        case stop
    }

    private struct State {
        var status = UpstreamStatus()
        var link: (any UpstreamLink)?
        var list: UpstreamList?
        /// From when on who lists it makes it read again; nil where it is good until it is read anyway.
        var staleAt: ContinuousClock.Instant?
        /// Why there was no credential, where that was what the last attempt failed for.
        var credentialFailure: CredentialFailure?
        var used = ContinuousClock.now
        var generation = 0
        var logLevel: LogLevel?
        /// Who has called over this link, where it may ask.
        var clientele = Clientele()
        var startedAt: ContinuousClock.Instant?
        var running = 0
        var drained: Mailbox<Bool>?
        /// Breaks off the opening of a link.
        var opening: Cancellation?
        var isStopping = false
        /// Chosen to end for want of use: no call shall begin.
        var isClaimed = false
        var isFinished = false
        /// Resumed when the present attempt has ended, well or not.
        var waiting: [Mailbox<Bool>] = []
    }

    /// `onNews` is called on the upstream's loop, `onEnd` when nothing of it is left.
    package init(
        _ definition: UpstreamDefinition, as credential: LinkCredential, key: InstanceKey, isKept: Bool, opener: UpstreamOpener,
        limits: UpstreamLimits, loop: EventLoop, onNews: @escaping @Sendable (Upstream, UpstreamNews) -> Void,
        onEnd: @escaping @Sendable (Upstream) -> Void
    ) {
        self.definition = definition
        self.credential = credential
        self.key = key
        self.isKept = isKept
        self.opener = opener
        self.limits = limits
        self.loop = loop
        self.onNews = onNews
        self.onEnd = onEnd
        log = Log(definition.name)
        watched = WatchedResources(loop: loop, limits: limits, log: log)
        watched.whenNews { [weak self] in self?.tell($0) }
    }

    package var name: String { definition.name }
    package var status: UpstreamStatus { state.withLock { $0.status } }
    /// What it offers as last read; nil before the first complete list and while it is down.
    package var list: UpstreamList? { state.withLock { $0.list } }
    /// Why there was no credential when it was last tried; nil where that was not the trouble.
    package var credentialFailure: CredentialFailure? { state.withLock { $0.credentialFailure } }
    /// Masks what it was given wherever its own words are quoted.
    package var redaction: Redaction { credential.redaction.adding(opener.environmentRedaction(for: definition)) }

    /// Whether it is reached by one caller's own credential.
    private var isPersonal: Bool { credential.key.identity != nil }

    /// When it was last used; nil while it is being used, and once it ends.
    var unusedSince: ContinuousClock.Instant? {
        guard watched.isEmpty else { return nil }
        return state.withLock { $0.running > 0 || $0.isClaimed || $0.isFinished ? nil : $0.used }
    }
    /// Whether it has ended or is about to, so that the next call needs another.
    var isOver: Bool { state.withLock { $0.isClaimed || $0.isStopping || $0.isFinished } }

    /// Chooses it to end, unless it is being used or somebody else has done so; then no call finds it any more.
    func claimEnd(ifUnusedFor time: Duration = .zero) -> Bool {
        guard watched.isEmpty else { return false }
        return state.withLock { state in
            guard state.running == 0, !state.isClaimed, !state.isFinished, .now - state.used >= time else { return false }
            state.isClaimed = true
            return true
        }
    }

    /// Starts it when that has not happened.
    package func start() {
        let isFirst = state.withLock { state in
            guard state.startedAt == nil, !state.isFinished else { return false }
            state.startedAt = .now
            return true
        }
        guard isFirst else { return }
        loop.task { await self.run() }
    }

    /// Starts it if need be and waits until the attempt under way has ended, well or not; at most so long.
    package func settled(within time: Duration) async {
        start()
        let mailbox = Mailbox<Bool>(capacity: 1)
        let isSettled = state.withLock { state in
            let settled = state.status.state != .idle && state.status.state != .connecting
            if !settled { state.waiting.append(mailbox) }
            return settled
        }
        if !isSettled { _ = await mailbox.next(within: time) }
    }

    /// The longest that the first list of a virtual server waits for an upstream, counted from the upstream's start.
    private static let firstListTime = Duration.seconds(2)

    /// Waits for a start under way, but no longer than the first list may wait.
    package func settledAtFirst() async {
        start()
        if credentialFailure != nil { try? await retryCredential(within: Self.firstListTime) }
        let started = state.withLock { $0.startedAt } ?? .now
        let left = started + Self.firstListTime - .now
        if left > .zero { await settled(within: left) }
    }

    /// Makes a call. The permit shows that it was allowed.
    package func call(
        _ request: UpstreamRequest, permit: Permit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        state.withLock { state in
            state.running += 1
            state.used = .now
            if !key.abilities.isEmpty, let origin = request.origin { state.clientele.note(origin) }
        }
        defer { finishCall() }
        credential.use(permit.caller)
        let link = try await openLink()
        if let level = request.logLevel { raiseLogLevel(to: level, of: link) }
        let limit = CallLimit(
            idle: request.waitsForTask ? limits.callTimeWithProgress : definition.timeout, total: limits.callTimeWithProgress,
            answer: limits.answerTime)
        do {
            return try await link.exchange(request, within: limit, cancellation: cancellation, onMessage: onMessage)
        } catch {
            throw masked(error)
        }
    }

    private func masked(_ error: UpstreamError) -> UpstreamError {
        error.masked(by: redaction)
    }

    /// A caller wants to hear of that resource's changes, while the hold exists. `isPromised` where the client was told that it does.
    package func hold(_ uri: String, for caller: Caller, isPromised: Bool = false) -> ResourceHold {
        credential.use(caller)
        start()
        watched.add(uri, for: caller.identity, isPromised: isPromised)
        return ResourceHold(at: self) { [watched] in watched.remove(uri, for: caller.identity) }
    }

    /// What the upstream says of that matter from now on, outside of calls, comes as news for that addressee.
    package func remember(_ addressee: Addressee, of matter: Matter) { addressees.add(addressee, of: matter) }

    /// Whether nobody but that caller has called over the present link.
    package func serves(only origin: UpstreamRequest.Origin) -> Bool { state.withLock { $0.clientele.isOnly(origin.caller) } }

    /// The roots of that client have changed; the upstream is told where it is nobody else's too, for it keeps roots from call to call.
    package func rootsChanged(for origin: UpstreamRequest.Origin) {
        guard key.abilities.contains(.rootsChanges), serves(only: origin), let link = state.withLock({ $0.link }), link.peer.era == .legacy
        else { return }
        loop.task { await link.notify(JSONValue.notification(MCPProtocol.Method.rootsChanged.rawValue)) }
    }

    /// Reads its tools again now, since a call has shown that ours are out of date.
    package func refreshTools() async {
        guard let link = state.withLock({ $0.link }), let read = try? await link.offer([.tools], limits: limits, log: log) else { return }
        if state.withLock({ $0.link === link }) { publish(.up, read: [.tools], read, peer: link.peer) }
    }

    /// Somebody lists it: what it said is good for a short time only is read again once that is over, by one flight, and not while nobody asks.
    package func refreshIfStale() {
        let isStale = state.withLock { state in
            guard let staleAt = state.staleAt, staleAt <= .now else { return false }
            state.staleAt = .now + limits.openingTime
            return true
        }
        if isStale { _ = events.send(.stale) }
    }

    /// Ends the wait for the next attempt.
    func openSoon() { _ = events.send(.wanted) }

    /// Takes over, in a moment, the lists that another instance of it has found changed.
    func takeOver(_ list: UpstreamList) { _ = events.send(.changedElsewhere(list)) }

    /// Who has listed its tools uses it as well.
    func noteUse(by caller: Caller) {
        credential.use(caller)
        state.withLock { $0.used = .now }
    }

    /// Takes an equal list in the place of its own.
    func adopt(_ list: UpstreamList) {
        state.withLock { state in
            if state.list !== list, state.list?.offer == list.offer { state.list = list }
        }
    }

    private func finishCall() {
        let drained = state.withLock { state in
            state.running -= 1
            state.used = .now
            return state.running == 0 ? state.drained : nil
        }
        _ = drained?.send(true)
    }

    /// Lets running calls finish, each within its own limit, and ends it.
    package func retire() async {
        let mailbox = Mailbox<Bool>(capacity: 1)
        let isBusy = state.withLock { state in
            state.drained = mailbox
            return state.running > 0
        }
        if isBusy { _ = await mailbox.next(within: limits.callTimeWithProgress) }
        await stop()
    }

    /// Ends it and everything it started.
    package func stop() async {
        let mailbox = Mailbox<Bool>(capacity: 1)
        let (isRunning, hasEnded) = state.withLock { state in
            let hasEnded = !state.isFinished && state.startedAt == nil
            if hasEnded { state.isFinished = true }
            if !state.isFinished { state.waiting.append(mailbox) }
            return (!state.isFinished, hasEnded)
        }
        if hasEnded { onEnd(self) }
        guard isRunning else { return }
        let opening = state.withLock { state in
            state.isStopping = true
            return state.opening
        }
        opening?.cancel()
        _ = events.send(.stop)
        while state.withLock({ !$0.isFinished }) {
            guard case .element = await mailbox.next(within: .seconds(5)) else { return }
            state.withLock { if !$0.isFinished { $0.waiting.append(mailbox) } }
        }
    }

    // MARK: - Life

    private func run() async {
        var failures = 0
        while true {
            let opened = ContinuousClock.now
            let end = await attempt()
            if end.isStop || state.withLock({ $0.isStopping }) { break }
            if ContinuousClock.now - opened > limits.retryMax { failures = 0 }
            failures += 1
            let isLooping = failures >= 5 && definition.endpoint.isChild && end.isLoss
            publish(isLooping ? .crashLooping : .down, error: end.reason)
            // A caller who brings nothing that could be sent on is no news for the operator.
            if !isPersonal || credentialFailure?.isOfCaller != true {
                log.warning("\(isLooping ? "keeps ending" : "is not available"): \(end.reason)")
            }
            if isPersonal, credentialFailure != nil {
                if await pause(limits.instanceIdleTime) { break }
                continue
            }
            let wait = isLooping ? limits.retryMax : min(limits.retryFirst * (1 << min(failures - 1, 10)), limits.retryMax)
            if await pause(wait) { break }
        }
        state.withLock { state in
            state.isFinished = true
            state.status.state = .stopped
        }
        settle()
        onEnd(self)
    }

    /// Whether it ends now, since nobody has used it for so long.
    private func endsUnused() -> Bool { !isKept && claimEnd(ifUnusedFor: limits.instanceIdleTime) }

    /// How long until then at least; nil where it does not end by itself.
    private var idleTimeLeft: Duration? { isKept ? nil : limits.instanceIdleTime - (.now - (unusedSince ?? .now)) }

    /// How an attempt ended.
    private struct End {
        var reason: String
        /// The link was there, or was about to be, and the other side ended it.
        var isLoss = false
        var isStop = false

        static let stop = End(reason: "stopped", isStop: true)
    }

    /// Opens a link and stays with it until it is lost, or until we shall stop.
    private func attempt() async -> End {
        let opening = Cancellation()
        let generation = state.withLock { state in
            state.generation += 1
            state.clientele = Clientele()
            state.opening = opening
            if state.isStopping { opening.cancel() }
            // A link that was lost a moment ago keeps its tools listed until the first new attempt has failed.
            state.status.state = .connecting
            return state.generation
        }
        do throws(UpstreamError) {
            let link = try await opener.open(definition, as: credential, declaring: key.abilities, on: loop, cancellation: opening, log: log) {
                [self, events] event in
                // It may want an answer before it goes on, as with its lists.
                if case .asked(let asked) = event { return onNews(self, .asked(asked)) }
                _ = events.send(.link(event, generation: generation))
            }
            do throws(UpstreamError) {
                let offer = try await link.offer(limits: limits, log: log)
                state.withLock { state in
                    state.link = link
                    state.logLevel = nil
                    state.credentialFailure = nil
                }
                publish(.up, read: Set(ListKind.allCases), offer, peer: link.peer)
                // Instances of users and sessions come and go.
                if key.owner == .everybody {
                    log.info("is up: \(link.peer.transport), \(link.peer.revision.rawValue), \(offer.tools.count) tools")
                }
            } catch {
                await link.close()
                throw error
            }
            let end = await stay(link, generation: generation)
            state.withLock { $0.link = nil }
            watched.use(nil)
            // The next child counts its tasks anew, for whomever.
            if definition.endpoint.isChild { addressees.removeAll() }
            await link.close()
            return end
        } catch {
            let failure = credentialFailure(error)
            state.withLock { $0.credentialFailure = failure }
            return end(error)
        }
    }

    /// What the attempt lacked, where that was the caller's credential.
    private func credentialFailure(_ error: UpstreamError) -> CredentialFailure? {
        switch error {
        case .credential(let failure): failure
        case .insufficientScope(let scopes) where isPersonal: .scopesNeeded(upstream: name, scopes)
        default: nil
        }
    }

    private func end(_ error: UpstreamError) -> End {
        let isLoss = if case .broken = error { true } else { false }
        return End(reason: masked(error).description, isLoss: isLoss)
    }

    private func stay(_ link: any UpstreamLink, generation: Int) async -> End {
        var refreshAt = ContinuousClock.now + limits.listAgeMax
        watched.use(link)
        while true {
            var stale: Set<ListKind> = []
            var isAnnounced = false
            let refreshTime = max(refreshAt - .now, .zero)
            switch await events.next(within: min(refreshTime, max(idleTimeLeft ?? refreshTime, .milliseconds(1)))) {
            case .element(.stop), .closed: return .stop
            case .element(.link(.lost(let reason), generation)): return End(reason: reason, isLoss: true)
            case .timedOut where endsUnused(): return .stop
            case .timedOut where refreshAt <= .now:
                stale = Set(ListKind.allCases)
                refreshAt = .now + limits.listAgeMax
            case .element(.link(.listsChanged(let kinds), generation)): (stale, isAnnounced) = (kinds, true)
            case .element(.link(.renewed, generation)):
                stale = Set(ListKind.allCases)
                watched.use(link)
            case .element(.link(.resourceUpdated(let uri), generation)): onNews(self, .resource(uri))
            case .element(.stale): stale = Set(ListKind.allCases)
            case .element(.link(.told(let matter, let notification), generation)): onNews(self, .told(notification, matter, addressees[matter]))
            case .element(.changedElsewhere(let list)):
                let kinds = list.offer.differences(from: self.list?.offer ?? Offer())
                publish(.up, read: kinds, list.offer, peer: link.peer)
            case .timedOut: break
            case .element: break
            }
            guard !stale.isEmpty else { continue }
            do {
                publish(.up, read: stale, try await link.offer(stale, limits: limits, log: log), peer: link.peer, isAnnounced: isAnnounced)
            } catch {
                if case .timedOut = error { continue }
                return end(error)
            }
        }
    }

    /// Waits before the next attempt; true when asked to stop.
    private func pause(_ time: Duration) async -> Bool {
        let end = ContinuousClock.now + time
        while true {
            switch await events.next(within: max(end - .now, .zero)) {
            case .element(.stop), .closed: return true
            case .element(.wanted): return false
            case .timedOut: return endsUnused()
            case .element: if ContinuousClock.now >= end { return false }
            }
        }
    }

    /// Takes over its state and those of its lists that were read; without an offer it has none.
    private func publish(
        _ next: UpstreamStatus.State, read kinds: Set<ListKind> = [], _ read: Offer? = nil, peer: UpstreamPeer? = nil, error: String? = nil,
        isAnnounced: Bool = false
    ) {
        let changed = state.withLock { state -> Set<ListKind>? in
            let known = state.list?.offer
            var offer = read
            if let read, kinds.count < ListKind.allCases.count, var whole = known {
                whole.take(kinds, from: read)
                offer = whole
            }
            let isNews = known != offer || (state.status.state == .up) != (next == .up)
            // An equal list stays the same one: whoever rendered it need not do so again.
            if known != offer { state.list = offer.map(UpstreamList.init) }
            state.status.state = next
            state.staleAt = offer?.shortestTime.map { .now + max($0, limits.listAgeMin) }
            state.status.toolCount = offer?.tools.count ?? 0
            if let peer { state.status.peer = peer }
            if let error { state.status.lastError = error }
            return isNews ? (known ?? Offer()).differences(from: offer ?? Offer()) : nil
        }
        if let changed { onNews(self, .lists(changed, isAnnounced: isAnnounced)) }
        settle()
    }

    private func settle() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for mailbox in waiting { _ = mailbox.send(true) }
        if status.state != .up { watched.releaseAll() }
    }

    private func tell(_ news: WatchedResources.News) {
        switch news {
        case .mayHaveChanged(let uri): onNews(self, .resource(uri))
        case .lost(let uri): onNews(self, .lostResource(uri))
        }
    }

    // MARK: - Use

    /// The open link; waits for an attempt under way, and fails at once when the upstream is down.
    private func openLink() async throws(UpstreamError) -> any UpstreamLink {
        if let link = state.withLock({ $0.link }) { return link }
        await settled(within: definition.timeout)
        if credentialFailure != nil, state.withLock({ $0.link == nil }) { try await retryCredential(within: definition.timeout) }
        let (link, status) = state.withLock { ($0.link, $0.status) }
        if let link { return link }
        if let credentialFailure { throw .credential(credentialFailure) }
        throw .unavailable(status.lastError ?? "it is \(status.state.rawValue)")
    }

    /// It is down for want of a credential only: once that can be had, nobody shall wait for the next attempt.
    private func retryCredential(within time: Duration) async throws(UpstreamError) {
        do {
            _ = try await credential.lines()
        } catch {
            throw .credential(error)
        }
        let mailbox = Mailbox<Bool>(capacity: 1)
        state.withLock { $0.waiting.append(mailbox) }
        openSoon()
        _ = await mailbox.next(within: time)
    }

    /// Legacy upstreams have one log level for the session: it follows the most talkative caller, and each caller is filtered for.
    private func raiseLogLevel(to level: LogLevel, of link: any UpstreamLink) {
        guard link.peer.era == .legacy, link.peer.capabilities["logging"] != nil else { return }
        let isNeeded = state.withLock { state in
            guard level < state.logLevel ?? .emergency || state.logLevel == nil else { return false }
            state.logLevel = level
            return true
        }
        guard isNeeded else { return }
        var members: [UInt8] = []
        members.append("\"level\":")
        members.append(jsonString: level.rawValue)
        let request = UpstreamRequest("logging/setLevel", members: members)
        let limit = CallLimit(idle: limits.probeTime, total: limits.probeTime)
        // No call waits for it: an upstream that never answers this holds nothing up.
        EventLoop.current?.task { _ = try? await link.exchange(request, within: limit, cancellation: Cancellation(), onNotification: { _ in }) }
    }
}

/// What an upstream tells its owner.
package enum UpstreamNews: Sendable {
    /// Its state or its offer has changed, and which of its lists with it; `isAnnounced` where the upstream has said so.
    case lists(Set<ListKind>, isAnnounced: Bool)
    /// A resource that is watched has changed, or a part of one.
    case resource(String)
    /// A resource that clients were told that they hear of can't be subscribed to any more.
    case lostResource(String)
    /// A notification about something that began in an earlier call, and who shall hear of it.
    case told(Message, Matter, [Addressee])
    /// It asks outside of calls, and must be answered.
    case asked(AskedQuestion)
}

extension Upstream: ResourceSource {
    package func standing(of uri: String) -> ResourceStanding {
        if let standing = watched.standing(of: uri) { return standing }
        return status.state == .idle || status.state == .connecting || status.state == .up ? .waiting : .refused
    }

    package func tell(_ settlement: Settlement, of uri: String) -> Bool { standing(of: uri) == .waiting && watched.tell(settlement, of: uri) }

    package func promise(_ uri: String) { watched.promise(uri) }
}

extension UpstreamDefinition.Endpoint {
    var isChild: Bool { if case .command = self { true } else { false } }
}
