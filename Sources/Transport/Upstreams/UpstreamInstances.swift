import Auth
import MCPProtocol
import Network
import Synchronization

/// An upstream as the configuration names it: one instance where everybody has the same credential, else one for each credential in use.
///
/// Callers with different credentials never share a link, a session or, unless `catalog: shared` says so, a list.
package final class UpstreamInstances: Sendable {
    package let definition: UpstreamDefinition
    package let credentials: CredentialSource
    /// Where the credential is the same for everybody.
    private let shared: Upstream?
    private let make: @Sendable (LinkCredential) -> Upstream
    private let limits: UpstreamLimits
    private let loops: LoopGroup
    private let state = Mutex(State())

    private struct State {
        var byKey: [CredentialKey: Upstream] = [:]
        /// The list that was read last, whoever read it.
        var known: UpstreamList?
        /// The lists in use that differ, so that callers who see the same tools share what is rendered from them.
        var lists: [WeakList] = []
        var isStopped = false
    }

    private struct WeakList {
        weak var list: UpstreamList?
    }

    /// `onNews` is called on an instance's loop.
    package init(
        _ definition: UpstreamDefinition, opener: UpstreamOpener, limits: UpstreamLimits, loops: LoopGroup,
        onNews: @escaping @Sendable (Upstream, UpstreamNews) -> Void
    ) {
        let credentials = opener.credentials(for: definition)
        self.definition = definition
        self.credentials = credentials
        self.limits = limits
        self.loops = loops
        make = { credential in
            Upstream(definition, as: credential, opener: opener, limits: limits, loop: loops.next(), onNews: onNews)
        }
        shared = credentials.dependsOnCaller ? nil : make(LinkCredential(credentials, key: .shared, caller: .anonymous))
    }

    package var name: String { definition.name }

    /// Whether callers may have links of their own.
    package var dependsOnCaller: Bool { shared == nil }
    /// Whether callers may see lists of their own.
    package var hasPersonalLists: Bool { shared == nil && definition.catalog == .perCredential }

    /// The instance that the caller's calls go through, made if need be; nil where there is no credential for this caller.
    package func instance(for caller: Caller) -> Upstream? {
        if let shared { return shared }
        guard let key = credentials.key(for: caller) else { return nil }
        let (instance, evicted) = state.withLock { state -> (Upstream?, Upstream?) in
            guard !state.isStopped else { return (nil, nil) }
            if let known = state.byKey[key], !known.isOver { return (known, nil) }
            let evicted = state.byKey.count >= limits.instancesMax ? Self.evict(from: &state) : nil
            let instance = make(LinkCredential(credentials, key: key, caller: caller))
            state.byKey[key] = instance
            return (instance, evicted)
        }
        if let evicted { loops.next().task { await evicted.retire() } }
        instance?.credential.use(caller)
        return instance
    }

    /// The instance of that key, where there is one now.
    package func instance(for key: CredentialKey) -> Upstream? { shared ?? state.withLock { $0.byKey[key] } }

    /// All instances that there are now.
    package var all: [Upstream] { shared.map { [$0] } ?? state.withLock { Array($0.byKey.values) } }

    /// The tools that everybody may see; nil while none are known. Of several lists, the one that was read last.
    package var commonList: UpstreamList? { shared?.list ?? state.withLock { $0.known } }

    /// The tools that this caller may see; nil while they are not known.
    ///
    /// Who has yet to sign in sees what is known of the upstream's tools: names, no more than that.
    package func list(for caller: Caller) -> UpstreamList? {
        guard hasPersonalLists else { return commonList }
        guard let instance = instance(for: caller) else { return nil }
        instance.noteUse(by: caller)
        if let list = instance.list { return list }
        if case .signInNeeded = instance.credentialFailure { return commonList }
        return nil
    }

    /// Takes note of an instance's new list or state; true where what everybody may see has changed.
    package func noteChange(of instance: Upstream) -> Bool {
        guard shared == nil else { return true }
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

    /// Masks what the upstream was given for that caller, and what it was given for all.
    package func redaction(for caller: Caller) -> Redaction {
        if let shared { return shared.redaction }
        return credentials.redaction(for: credentials.key(for: caller))
    }

    /// A credential of that key can be had from now on: whoever waits for one is served.
    package func credentialArrived(for key: CredentialKey) {
        credentials.forget(key)
        instance(for: key)?.openSoon()
    }

    /// The same for all keys of that caller.
    package func credentialArrived(for identity: CallerIdentity) {
        let keys = state.withLock { $0.byKey.keys.filter { $0.identity == identity } }
        for key in keys { credentialArrived(for: key) }
    }

    /// Starts it where no caller is needed for that.
    package func start() { shared?.start() }

    /// How it is doing, all instances together.
    package var status: UpstreamStatus {
        if let shared { return shared.status }
        let all = state.withLock { Array($0.byKey.values) }.map { ($0.status, $0.credentialFailure) }
        let order: [UpstreamStatus.State] = [.up, .connecting, .down, .crashLooping]
        // That a caller has no credential says nothing of the upstream.
        let telling = all.filter { $0.1?.isOfCaller != true }.map(\.0)
        for state in order { if let found = telling.first(where: { $0.state == state }) { return found } }
        return UpstreamStatus()
    }

    /// Whether anybody has used it.
    package var isInUse: Bool { shared.map { $0.status.state != .idle } ?? state.withLock { !$0.byKey.isEmpty } }

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
        let all = instances + (shared.map { [$0] } ?? [])
        for instance in all {
            loops.next().task {
                await body(instance)
                _ = done.send(true)
            }
        }
        for _ in all { _ = await done.next() }
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

    private static func evict(from state: inout State) -> Upstream? {
        for (key, instance) in state.byKey where instance.isOver { state.byKey[key] = nil }
        let candidates = state.byKey.compactMap { entry in entry.value.unusedSince.map { (entry.key, entry.value, $0) } }
        guard let eldest = candidates.min(by: { $0.2 < $1.2 }) else { return nil }
        state.byKey[eldest.0] = nil
        return eldest.1
    }
}
