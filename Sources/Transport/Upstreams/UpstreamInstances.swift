import Auth
import MCPProtocol
import Network
import Synchronization

/// An upstream as the configuration names it, in as many instances as its callers must not share.
///
/// Callers with different credentials never share a link, a session or, unless `catalog: shared` says so, a list. A legacy upstream has
/// another instance for each set of abilities that clients have; `instances:` says whether each user or session has its own besides.
package final class UpstreamInstances: Sendable {
    package let definition: UpstreamDefinition
    package let credentials: CredentialSource
    private let make: @Sendable (InstanceKey, Caller, _ isKept: Bool, UpstreamInstances) -> Upstream
    private let pool: InstancePool
    private let loops: LoopGroup
    /// Whether the upstream was found to be modern: then it is told with each request what it may ask, and abilities part nobody.
    private let isModern: Atomic<Bool>
    private let state = Mutex(State())

    private struct State {
        var byKey: [InstanceKey: Upstream] = [:]
        /// The one of each credential that lists are taken from.
        var listers: [CredentialKey: Upstream] = [:]
        /// The lister where the credential is the same for everybody; it never ends by itself.
        var common: Upstream?
        /// The list that was read last, whoever read it.
        var known: UpstreamList?
        /// The lists in use that differ, so that callers who see the same tools share what is rendered from them.
        var lists: [WeakList] = []
        var isStopped = false
    }

    private struct WeakList {
        weak var list: UpstreamList?
    }

    /// Whether callers may have links of their own, since their credentials differ.
    package let dependsOnCaller: Bool

    /// `onNews` is called on an instance's loop.
    package init(
        _ definition: UpstreamDefinition, opener: UpstreamOpener, limits: UpstreamLimits, loops: LoopGroup, pool: InstancePool,
        onNews: @escaping @Sendable (Upstream, UpstreamNews) -> Void
    ) {
        let credentials = opener.credentials(for: definition)
        self.definition = definition
        self.credentials = credentials
        self.loops = loops
        self.pool = pool
        dependsOnCaller = credentials.dependsOnCaller
        isModern = Atomic(definition.era == .modern)
        make = { key, caller, isKept, owner in
            Upstream(
                definition, as: LinkCredential(credentials, key: key.credential, caller: caller), key: key, isKept: isKept, opener: opener,
                limits: limits, loop: loops.next(),
                onNews: { [weak owner] instance, news in
                    owner?.noteEra(of: instance)
                    onNews(instance, news)
                },
                onEnd: { [weak owner] in owner?.forget($0) })
        }
    }

    package var name: String { definition.name }

    /// Whether callers may see lists of their own.
    package var hasPersonalLists: Bool { dependsOnCaller && definition.catalog == .perCredential }

    // MARK: - Which instance

    /// The instance that the call goes through, made if need be; throws `.credential` where there is none for its caller, `.busy` where
    /// there are too many instances.
    package func instance(for call: Call) throws(UpstreamError) -> Upstream {
        try instance(for: call.caller, call.abilities, session: call.session)
    }

    /// The same for any call of that caller and session whose client may be asked that.
    package func instance(for caller: Caller, _ clientAbilities: ClientAbilities, session: String?) throws(UpstreamError) -> Upstream {
        let isModern = isModern.load(ordering: .relaxed)
        if definition.instances == .shared, !dependsOnCaller, let common = state.withLock({ $0.common }),
            isModern || clientAbilities == common.key.abilities
        {
            return common
        }
        guard let credential = credentials.key(for: caller) else {
            throw .credential(.notForCaller("no entry of its `credential` is for \(caller)"))
        }
        let abilities = isModern ? [] : clientAbilities
        let owner = owner(for: caller, in: session)
        if owner == .everybody, isModern { return try lister(of: credential, for: caller, abilities) }
        return try state.withLock { (state) throws(UpstreamError) in
            if owner == .everybody, state.listers[credential] == nil { return try addLister(of: credential, for: caller, abilities, to: &state) }
            return try instance(InstanceKey(credential: credential, abilities: abilities, owner: owner), for: caller, in: &state)
        }
    }

    /// The instance that calls of that client go through, if there is one already.
    package func existing(for caller: Caller, _ abilities: ClientAbilities, in session: String?) -> Upstream? {
        guard !isModern.load(ordering: .relaxed), let credential = credentials.key(for: caller) else { return nil }
        let key = InstanceKey(credential: credential, abilities: abilities, owner: owner(for: caller, in: session))
        return state.withLock { $0.byKey[key] }
    }

    private func owner(for caller: Caller, in session: String?) -> InstanceKey.Owner {
        switch definition.instances {
        case .shared: .everybody
        case .perUser: .user(caller.identity)
        case .perSession: session.map { .session($0) } ?? .user(caller.identity)
        }
    }

    /// The instance that the caller's lists come from, made if need be; nil where there is no credential for this caller, or too many
    /// instances are at work.
    ///
    /// One that has yet to be made is told of `abilities`, so that the client that it is made for can go on to call it.
    package func lister(for caller: Caller, abilities: ClientAbilities = []) -> Upstream? {
        guard let credential = credentials.key(for: caller) else { return nil }
        return try? lister(of: credential, for: caller, abilities)
    }

    private func lister(of credential: CredentialKey, for caller: Caller, _ abilities: ClientAbilities) throws(UpstreamError) -> Upstream {
        try state.withLock { (state) throws(UpstreamError) in
            if let known = state.listers[credential], !known.isOver {
                known.noteUse(by: caller)
                return known
            }
            return try addLister(of: credential, for: caller, abilities, to: &state)
        }
    }

    private func addLister(
        of credential: CredentialKey, for caller: Caller, _ abilities: ClientAbilities, to state: inout State
    ) throws(UpstreamError) -> Upstream {
        // Where instances have owners, theirs end too soon to take lists from.
        let key = InstanceKey(credential: credential, abilities: definition.instances == .shared ? abilities : [], owner: .everybody)
        let lister = try instance(key, for: caller, in: &state, isKept: !dependsOnCaller)
        state.listers[credential] = lister
        if !dependsOnCaller { state.common = lister }
        return lister
    }

    private func instance(
        _ key: InstanceKey, for caller: Caller, in state: inout State, isKept: Bool = false
    ) throws(UpstreamError) -> Upstream {
        guard !state.isStopped else { throw .unavailable("it is stopped") }
        if let known = state.byKey[key], !known.isOver {
            known.noteUse(by: caller)
            return known
        }
        let instance = make(key, dependsOnCaller ? caller : .anonymous, isKept, self)
        if !isKept { try pool.enter(instance, of: key.owner == .everybody ? nil : caller.identity) }
        state.byKey[key] = instance
        return instance
    }

    /// All instances that there are now.
    package var all: [Upstream] { state.withLock { Array($0.byKey.values) } }

    /// Ends what belongs to that session alone.
    package func sessionEnded(_ session: String) {
        guard definition.instances == .perSession else { return }
        let ended = state.withLock { state in
            let keys = state.byKey.keys.filter { $0.owner == .session(session) }
            return keys.compactMap { state.byKey.removeValue(forKey: $0) }
        }
        for instance in ended { loops.next().task { await instance.stop() } }
    }

    private func noteEra(of instance: Upstream) {
        guard definition.era == .automatic, let era = instance.status.peer?.era else { return }
        isModern.store(era == .modern, ordering: .relaxed)
    }

    private func forget(_ instance: Upstream) {
        pool.leave(instance)
        state.withLock { state in
            if state.byKey[instance.key] === instance { state.byKey[instance.key] = nil }
            if state.listers[instance.key.credential] === instance { state.listers[instance.key.credential] = nil }
        }
    }

    // MARK: - Lists

    /// The tools that everybody may see; nil while none are known. Of several lists, the one that was read last.
    package var commonList: UpstreamList? { dependsOnCaller ? state.withLock { $0.known } : state.withLock { $0.common }?.list }

    /// The tools that this caller may see; nil while they are not known.
    ///
    /// Who has yet to sign in, or to allow more, sees what is known of the upstream's tools: names, no more than that.
    package func list(for caller: Caller) -> UpstreamList? {
        guard hasPersonalLists else { return commonList }
        guard let instance = lister(for: caller) else { return nil }
        if let list = instance.list { return list }
        return instance.credentialFailure?.isOfSignIn == true ? commonList : nil
    }

    /// Whether lists are taken from that instance. What another one announces that callers share is taken over, so that the latest word counts;
    /// what it merely finds is not, since a child that has just been started has not yet become what the others are.
    package func takesLists(from instance: Upstream, isAnnounced: Bool) -> Bool {
        let lister = state.withLock { $0.listers[instance.key.credential] }
        if lister === instance { return true }
        if isAnnounced, instance.key.owner == .everybody, let list = instance.list { lister?.takeOver(list) }
        return false
    }

    /// Takes note of a lister's new list or state; true where what everybody may see has changed.
    package func noteChange(of instance: Upstream) -> Bool {
        guard dependsOnCaller else { return true }
        let list = instance.list.map(interned)
        if let list { instance.adopt(list) }
        return state.withLock { state in
            let before = state.known
            if let list {
                if state.known?.offer != list.offer { state.known = list }
            } else if instance.credentialFailure == nil, !state.byKey.values.contains(where: { $0.list != nil }) {
                // The upstream itself is away, for everybody.
                state.known = nil
            }
            return state.known !== before
        }
    }

    // MARK: - What concerns all of them

    /// Masks what the upstream was given for that caller, and what it was given for all.
    package func redaction(for caller: Caller) -> Redaction {
        if let common = state.withLock({ $0.common }) { return common.redaction }
        return credentials.redaction(for: credentials.key(for: caller))
    }

    /// A credential of that key can be had from now on: whoever waits for one is served.
    package func credentialArrived(for key: CredentialKey) {
        credentials.forget(key)
        for instance in all where instance.key.credential == key { instance.openSoon() }
    }

    /// The same for all keys of that caller.
    package func credentialArrived(for identity: CallerIdentity) {
        let keys = state.withLock { $0.byKey.keys.map(\.credential).filter { $0.identity == identity } }
        for key in Set(keys) { credentialArrived(for: key) }
    }

    /// Starts it where no caller is needed for that.
    package func start(for abilities: ClientAbilities = []) {
        if !dependsOnCaller { lister(for: .anonymous, abilities: abilities)?.start() }
    }

    /// How it is doing, all instances together.
    package var status: UpstreamStatus {
        if let common = state.withLock({ $0.common }) { return common.status }
        let all = state.withLock { Array($0.byKey.values) }.map { ($0.status, $0.credentialFailure) }
        let order: [UpstreamStatus.State] = [.up, .connecting, .down, .crashLooping]
        // That a caller has no credential says nothing of the upstream.
        let telling = all.filter { $0.1?.isOfCaller != true }.map(\.0)
        for state in order { if let found = telling.first(where: { $0.state == state }) { return found } }
        return UpstreamStatus()
    }

    /// Whether anybody has used it.
    package var isInUse: Bool { all.contains { $0.status.state != .idle } }

    /// Lets running calls finish and ends it.
    package func retire() async { await end { await $0.retire() } }

    /// Ends it and everything it started.
    package func stop() async { await end { await $0.stop() } }

    private func end(_ body: @escaping @Sendable (Upstream) async -> Void) async {
        let instances = state.withLock { state in
            state.isStopped = true
            return Array(state.byKey.values)
        }
        let done = Mailbox<Bool>(capacity: instances.count + 1)
        for instance in instances {
            loops.next().task {
                await body(instance)
                _ = done.send(true)
            }
        }
        for _ in instances { _ = await done.next() }
    }

    /// The one list object for all instances with equal lists.
    private func interned(_ list: UpstreamList) -> UpstreamList {
        state.withLock { state in
            for known in state.lists {
                if let other = known.list, other === list || other.offer == list.offer { return other }
            }
            state.lists.removeAll { $0.list == nil }
            state.lists.append(WeakList(list: list))
            return list
        }
    }
}
