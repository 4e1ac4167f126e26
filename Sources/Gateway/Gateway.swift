import Audit
import Auth
import Configuration
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization
import Transport
import VirtualServers

/// The gateway: one snapshot of configuration and catalogues, and the calls that go through it.
package final class Gateway: CallService {
    package let changes = ChangeFeed()
    let baselines: Baselines
    private let loops: LoopGroup
    private let environment: [String: String]
    private let opener: UpstreamOpener
    private let instances: InstancePool
    package let signIns: SignInDesk?
    let roundSeal: RoundSeal
    let takenRounds: TakenRounds
    let parkedCalls: ParkedCalls
    let watches = WatchRegister()
    let askingTasks: AskingTasks
    let signInListener: SignInListener
    /// Whether browsers find us at an address of our own.
    let hasListener = Atomic<Bool>(false)
    let personalExposures = PersonalExposures()
    let toldProblems = ToldProblems()
    let fetch: GuardedFetch
    let limits: UpstreamLimits
    private let state: Mutex<State>
    private let log = Log("gateway")

    private struct State {
        var snapshot: Snapshot
        /// What is wrong with the configuration on disk, where that is not the one in force.
        var rejected: [Problem] = []
        /// What is wrong with the files for TLS, where those in force are older ones.
        var staleTLS: Problem?
        /// Told when other callers than before may be let in.
        var onIdentityChange: (@Sendable () -> Void)?
        /// Where decisions are recorded; nil where the configuration has no `audit`.
        var audit: AuditLog?
        /// Whether standard output carries something else than the audit may.
        var isStandardOutputTaken = false
        var isStopping = false
    }

    package init(_ settings: Settings, loops: LoopGroup, environment: [String: String]) {
        self.loops = loops
        self.environment = environment
        limits = UpstreamLimits(settings.limits)
        instances = InstancePool(limits: limits, loops: loops)
        baselines = Baselines(stateFolder: settings.stateFolder)
        fetch = GuardedFetch(loops: loops, environment: environment)
        opener = UpstreamOpener(
            loops: loops, environment: environment, limits: limits, fetch: fetch.function(.init(settings)),
            store: StateFolder.tokenStore(settings, environment: environment))
        signIns = try? SignInDesk(services: opener.services)
        signInListener = SignInListener(loops: loops)
        roundSeal = RoundSeal(stateFolder: settings.stateFolder)
        takenRounds = TakenRounds(stateFolder: settings.stateFolder)
        parkedCalls = ParkedCalls(limits: settings.limits)
        askingTasks = AskingTasks(limits: settings.limits)
        let identity = Identity(settings.identity, fetch: fetch.function(.init(settings)))
        state = Mutex(State(snapshot: Snapshot(settings: settings, identity: identity, upstreams: [:])))
        apply(settings)
        signIns?.recognise { [weak self] caller in self?.identity.isStillGood(caller) ?? false }
        signIns?.whenSignedIn { [weak self] in self?.signedIn($0) }
    }

    var snapshot: Snapshot { state.withLock { $0.snapshot } }
    package var settings: Settings { snapshot.settings }

    // MARK: - Configuration

    /// Puts a checked configuration in force. Upstreams whose definition is the same stay as they are; the others finish their calls and end.
    package func apply(_ settings: Settings, audit: AuditLog? = nil) {
        baselines.reload()
        replaceAudit(with: audit, for: settings)
        let (retired, fresh, changed) = state.withLock { state -> ([UpstreamInstances], [UpstreamInstances], [String: Set<ListKind>]) in
            let old = state.snapshot
            var left = old.upstreams
            var fresh: [UpstreamInstances] = []
            var upstreams: [String: UpstreamInstances] = [:]
            for definition in settings.upstreams {
                if let known = left[definition.name], known.definition.isSame(as: definition) {
                    upstreams[definition.name] = left.removeValue(forKey: definition.name)
                } else {
                    let instances = UpstreamInstances(
                        definition, opener: opener, limits: limits, loops: loops, pool: instances,
                        onNews: { [weak self] in self?.take($1, from: $0) })
                    upstreams[definition.name] = instances
                    fresh.append(instances)
                }
            }
            let identity = Identity(settings.identity, fetch: fetch.function(.init(settings)), succeeding: old.identity)
            state.snapshot = Snapshot(settings: settings, identity: identity, upstreams: upstreams, generation: old.generation).refreshed(
                baselines: baselines, servers: settings.virtualServers)
            state.rejected = []
            return (Array(left.values), fresh, Self.difference(old.exposures, state.snapshot.exposures))
        }
        identityChanged()
        introduceToServers()
        tellProblems()
        moveWatches(to: fresh)
        for upstream in retired { loops.next().task { await upstream.retire() } }
        publish(changed)
        // What clients use already must not wait for the next one to ask.
        let isInUse = Set(retired.filter(\.isInUse).map(\.name))
        for (name, upstream) in snapshot.upstreams where isInUse.contains(name) { upstream.start() }
    }

    /// Keeps the configuration in force and remembers what is wrong with the new one.
    package func reject(_ problems: [Problem]) {
        state.withLock { $0.rejected = problems }
        log.error("the new configuration has mistakes and is not used; the old one stays in force")
        for problem in problems { log.error(problem.description) }
    }

    /// `tell` is called, on any thread, whenever other callers than before may be let in.
    func whenIdentityChanges(_ tell: @escaping @Sendable () -> Void) { state.withLock { $0.onIdentityChange = tell } }

    func identityChanged() { state.withLock { $0.onIdentityChange }?() }

    /// Remembers for `/readyz` what is wrong with the files for TLS; nil when those in force are the present ones.
    func noteTLS(_ problem: Problem?) { state.withLock { $0.staleTLS = problem } }

    /// Takes over baselines that another process has accepted.
    func reloadBaselines() {
        baselines.reload()
        let changed = state.withLock { state in
            let old = state.snapshot
            state.snapshot = old.refreshed(baselines: baselines, servers: old.settings.virtualServers)
            return Self.difference(old.exposures, state.snapshot.exposures)
        }
        publish(changed)
    }

    private func take(_ news: UpstreamNews, from upstream: Upstream) {
        switch news {
        case .lists(let kinds, let isAnnounced): upstreamChanged(upstream, kinds, isAnnounced: isAnnounced)
        case .resource(let uri): resourceChanged(uri, of: upstream)
        case .lostResource(let uri): changes.publishLoss(of: uri, at: upstream)
        case .asked(let asked): ask(asked, of: upstream)
        case .told(let notification, let matter, let addressees): tell(addressees, notification, about: matter)
        }
    }

    private func upstreamChanged(_ upstream: Upstream, _ kinds: Set<ListKind>, isAnnounced: Bool) {
        var personal: (upstream: UpstreamInstances, servers: [String])?
        let changed = state.withLock { state -> [String: Set<ListKind>] in
            // An upstream that was replaced has nothing to say any more.
            guard !state.isStopping, let instances = state.snapshot.upstreams[upstream.name],
                instances.takesLists(from: upstream, isAnnounced: isAnnounced)
            else { return [:] }
            let old = state.snapshot
            let servers = old.settings.virtualServers.filter { $0.upstreams.contains(upstream.name) }
            if instances.hasPersonalLists { personal = (instances, servers.map(\.name)) }
            let hasGrown =
                personal != nil && upstream.list.map { baselines.note($0.tools, of: upstream.name, seenBy: upstream.credential.key) } == true
            guard instances.noteChange(of: upstream) || hasGrown else { return [:] }
            state.snapshot = old.refreshed(baselines: baselines, servers: servers)
            // Before it was only a guess at what callers would see.
            return personal != nil ? [:] : Self.difference(old.exposures, state.snapshot.exposures)
        }
        tellProblems()
        publish(changed)
        // Whoever has a list of their own is told of its changes, and nobody else.
        guard let personal else { return }
        let key = upstream.credential.key
        for server in personal.servers {
            // With its state the tool for signing in comes and goes.
            let told = ChangeFeed.Change.of(kinds.union([.tools]))
            changes.publish(told, to: server) { personal.upstream.credentials.key(for: $0) == key }
        }
    }

    /// The lists that have changed for someone, by virtual server.
    private static func difference(_ old: [String: Exposure], _ new: [String: Exposure]) -> [String: Set<ListKind>] {
        var changed: [String: Set<ListKind>] = [:]
        for (name, exposure) in new {
            let kinds = old[name].map { exposure.differences(from: $0) } ?? Set(ListKind.allCases)
            if !kinds.isEmpty { changed[name] = kinds }
        }
        return changed
    }

    private func publish(_ changed: [String: Set<ListKind>]) {
        for (server, kinds) in changed { changes.publish(ChangeFeed.Change.of(kinds), to: server) }
    }

    /// Ends every upstream and says good-bye to listening clients.
    package func stop() async {
        let upstreams = state.withLock { state in
            state.isStopping = true
            return Array(state.snapshot.upstreams.values)
        }
        changes.end()
        parkedCalls.end()
        askingTasks.end()
        let done = Mailbox<Bool>(capacity: upstreams.count + 1)
        for upstream in upstreams {
            loops.next().task {
                await upstream.stop()
                _ = done.send(true)
            }
        }
        for _ in upstreams { _ = await done.next() }
        await opener.finishRenewals(within: settings.limits.drainTime)
        await signInListener.stop()
        await flushAudit()
    }

    // MARK: - Audit

    var audit: AuditLog? { state.withLock { $0.audit } }

    /// Opens the audit's file now, blocking, so that a gateway that could record nothing does not start.
    ///
    /// Where standard output carries something else, it is refused as a place for the audit, now and in later configurations.
    package func openAudit(isStandardOutputTaken: Bool = false) throws(ConfigurationError) {
        let audit = state.withLock { state in
            state.isStandardOutputTaken = isStandardOutputTaken
            return state.audit
        }
        if let audit { try open(audit) }
    }

    /// An audit with its file open, blocking; nil where the settings have none, or the one in force will do.
    func freshAudit(for settings: Settings) throws(ConfigurationError) -> AuditLog? {
        guard let wanted = settings.audit, audit?.settings.isSame(as: wanted) != true, let fresh = Self.audit(for: settings) else { return nil }
        try open(fresh)
        return fresh
    }

    private func open(_ audit: AuditLog) throws(ConfigurationError) {
        let position = audit.settings.position
        if audit.settings.destination == .standardOutput, state.withLock({ $0.isStandardOutputTaken }) {
            let what = "the audit goes to standard output, which this command needs for itself"
            throw ConfigurationError(Problem(what, at: position, fix: "name a file"))
        }
        do throws(AuditFailure) {
            try audit.open()
        } catch {
            let fix = "make the file writable for this user, or name another"
            throw ConfigurationError(Problem("the audit can't be written: \(error)", at: position, fix: fix))
        }
    }

    /// Goes on with the audit in force where it has the same settings, else with `fresh`, or one that opens its file when needed.
    private func replaceAudit(with fresh: AuditLog?, for settings: Settings) {
        let old = audit
        if let old, old.settings.isSame(as: settings.audit) { return }
        let next = fresh ?? Self.audit(for: settings)
        state.withLock { $0.audit = next }
        old?.flush {}
    }

    // MARK: - What client transports ask

    package func server(named name: String?) -> String? {
        let exposures = snapshot.exposures
        if let name { return exposures[name] == nil ? nil : name }
        return exposures["default"] != nil ? "default" : exposures.count == 1 ? exposures.first?.key : nil
    }

    package func describe(_ server: String) -> ServerDescription? {
        let snapshot = snapshot
        guard let exposure = snapshot.exposures[server] else { return nil }
        let definition = exposure.definition
        var capabilities = exposure.capabilities
        // The tool for signing in may be the only one.
        if snapshot.personal[server] != nil { capabilities["tools"] = ["listChanged": true] }
        return ServerDescription(
            name: definition.name, title: definition.title, instructions: exposure.instructions, capabilities: capabilities)
    }

    package func prepare(_ server: String, for caller: Caller, with abilities: ClientAbilities) async {
        let snapshot = snapshot
        for name in snapshot.exposures[server]?.definition.upstreams ?? [] { snapshot.upstreams[name]?.start(for: abilities) }
        _ = try? await exposure(of: server, for: caller, with: abilities)
    }

    package func sessionEnded(_ session: String) {
        for upstream in snapshot.upstreams.values { upstream.sessionEnded(session) }
    }

    package func readiness() -> (isReady: Bool, report: JSONValue) {
        let (snapshot, rejected, stale) = state.withLock { ($0.snapshot, $0.rejected, $0.staleTLS) }
        let used = Set(snapshot.settings.virtualServers.flatMap(\.upstreams))
        // A readiness probe warms what clients are going to need.
        for name in used { snapshot.upstreams[name]?.start() }
        let upstreams = snapshot.settings.upstreams.map { JSONValue.Member($0.name, snapshot.upstreams[$0.name]?.status.json ?? .null) }
        let servers = snapshot.settings.virtualServers.map { definition -> JSONValue.Member in
            let exposure = snapshot.exposures[definition.name]
            var counts: JSONValue = ["tools": .number(String(exposure?.tools.count ?? 0))]
            for kind in [ListKind.prompts, .resources] where exposure?.serves(kind) == true {
                counts[kind.member.description] = .number(String(exposure?.items(of: kind).count ?? 0))
            }
            return JSONValue.Member(definition.name, counts)
        }
        var report: JSONValue = [
            "status": audit?.refusesCalls == true ? "refusing calls" : "ready",
            "configuration": [
                "state": rejected.isEmpty ? "current" : "rejected", "problems": .array(rejected.map { .string($0.description) }),
            ],
            "upstreams": .object(upstreams), "virtual_servers": .object(servers),
            "state": ["problems": .array(baselines.defect.map { [.string($0)] } ?? [])],
        ]
        if snapshot.settings.tls != nil {
            report["tls"] = ["state": stale == nil ? "current" : "stale", "problems": .array(stale.map { [.string($0.description)] } ?? [])]
        }
        report["audit"] = audit?.report
        return (audit?.refusesCalls != true, report)
    }

    package func answer(_ call: Call, to channel: any ClientChannel) async -> Reply? {
        do {
            switch call.message.method {
            case .callTool, .getPrompt, .readResource:
                return try await audited(call) { trail in try await use(call, to: channel, noting: trail) }
            case .getTask, .taskResult, .cancelTask, .updateTask:
                return try await audited(call) { trail in try await followTask(call, to: channel, noting: trail) }
            case .complete: return try await complete(call, to: channel)
            default:
                guard let kind = ListKind(listedBy: call.message.method) else { throw methodNotFound(call) }
                return try await list(kind, for: call)
            }
        } catch let error as ProtocolError {
            return Reply(error, id: call.id)
        } catch {
            return nil
        }
    }
}

extension Gateway {
    func methodNotFound(_ call: Call) -> ProtocolError {
        ProtocolError(.methodNotFound, "Method not found: \(call.message.methodText.prefix(100))")
    }
}

extension UpstreamDefinition {
    /// The same but for where it stands in the file.
    func isSame(as other: UpstreamDefinition) -> Bool {
        var other = other
        other.position = position
        return self == other
    }
}
