import Auth
import Configuration
import Diagnostics
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// What came of asking an upstream.
    package struct Connected: Sendable {
        package let upstream: UpstreamInstances
        /// Nil where it answered.
        package var failure: String?
        /// Whether it is only this caller who has no credential for it.
        package var isOfCaller = false
    }

    /// Asks every upstream that a virtual server uses, or those named, as that caller, and waits for each.
    package func connect(to names: [String]? = nil, as caller: Caller, within time: Duration = .seconds(30)) async -> [Connected] {
        let snapshot = snapshot
        let used = Set(names ?? snapshot.settings.upstreams.map(\.name))
        let upstreams = snapshot.settings.upstreams.compactMap { used.contains($0.name) ? snapshot.upstreams[$0.name] : nil }
        let instances = upstreams.map { $0.lister(for: caller) }
        for instance in instances { instance?.start() }
        var outcome: [Connected] = []
        for (upstream, instance) in zip(upstreams, instances) {
            guard let instance else {
                outcome.append(Connected(upstream: upstream, failure: "no entry of its `credential` is for \(caller)", isOfCaller: true))
                continue
            }
            await instance.settled(within: time)
            let status = instance.status
            let failure = status.state == .up ? nil : status.lastError ?? "no answer within \(time.components.seconds) s"
            outcome.append(Connected(upstream: upstream, failure: failure, isOfCaller: instance.credentialFailure?.isOfCaller == true))
        }
        return outcome
    }

    /// Takes an upstream's present tools as the baseline of `new_tools: hold`; the names that are new, or nil where it is not connected.
    /// Throws where that can't be kept.
    package func accept(_ upstream: String) throws(StateError) -> (added: [String], removed: [String])? {
        guard let tools = snapshot.upstreams[upstream]?.commonList?.tools else { return nil }
        let now = Set(tools.map(\.name))
        let before = baselines.known(upstream) ?? now
        try baselines.accept(upstream, now)
        return (now.subtracting(before).sorted(), before.subtracting(now).sorted())
    }
}

extension Gateway {
    /// How those upstreams are doing now.
    package func states(of names: [String]) -> [(upstream: String, state: UpstreamStatus.State)] {
        let upstreams = snapshot.upstreams
        return names.compactMap { name in upstreams[name].map { (name, $0.status.state) } }
    }

    /// The upstreams that a virtual server lacks at present, and why.
    package func missing(from server: String, for caller: Caller) -> [(upstream: String, reason: String)] {
        let snapshot = snapshot
        let upstreams = snapshot.settings.virtualServers.first { $0.name == server }?.upstreams ?? []
        return upstreams.sorted().compactMap { name in
            guard let upstream = snapshot.upstreams[name], upstream.list(for: caller) == nil else { return nil }
            guard let status = upstream.lister(for: caller)?.status else { return (name, "no entry of its `credential` is for \(caller)") }
            let isWaiting = status.state == .connecting && status.lastError == nil
            return (name, isWaiting ? "it has not answered yet" : status.lastError ?? "it is \(status.state.rawValue)")
        }
    }
}
