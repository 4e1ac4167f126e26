import Auth
import Diagnostics
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    /// Asks every upstream that a virtual server uses, or those named, as that caller, and waits for each; nil for one that answered, else why not.
    package func connect(
        to names: [String]? = nil, as caller: Caller = .anonymous, within time: Duration = .seconds(30)
    ) async -> [(upstream: UpstreamInstances, failure: String?)] {
        let snapshot = snapshot
        let used = Set(names ?? snapshot.settings.upstreams.map(\.name))
        let upstreams = snapshot.settings.upstreams.compactMap { used.contains($0.name) ? snapshot.upstreams[$0.name] : nil }
        let instances = upstreams.map { $0.instance(for: caller) }
        for instance in instances { instance?.start() }
        var outcome: [(upstream: UpstreamInstances, failure: String?)] = []
        for (upstream, instance) in zip(upstreams, instances) {
            guard let instance else {
                outcome.append((upstream, "no entry of its `credential` is for \(caller)"))
                continue
            }
            await instance.settled(within: time)
            let status = instance.status
            outcome.append((upstream, status.state == .up ? nil : status.lastError ?? "no answer within \(time.components.seconds) s"))
        }
        return outcome
    }

    /// What does not fit between the virtual servers and the upstreams that are known now.
    package var exposureProblems: [Problem] {
        snapshot.settings.virtualServers.flatMap { snapshot.exposures[$0.name]?.problems ?? [] }
    }

    /// Takes an upstream's present tools as the baseline of `new_tools: hold`; the names that are new, or nil where it is not connected.
    package func accept(_ upstream: String) -> (added: [String], removed: [String])? {
        guard let tools = snapshot.upstreams[upstream]?.commonList?.tools else { return nil }
        let now = Set(tools.map(\.name))
        let before = baselines.baseline(of: upstream, now: tools)
        baselines.accept(upstream, now)
        return (now.subtracting(before).sorted(), before.subtracting(now).sorted())
    }
}

extension Gateway {
    /// The upstreams that a virtual server lacks at present, and why.
    package func missing(from server: String) -> [(upstream: String, reason: String)] {
        let snapshot = snapshot
        return (snapshot.exposures[server]?.missingUpstreams ?? []).sorted().map { name in
            let status = snapshot.upstreams[name]?.status
            return (name, status?.lastError ?? "it is \(status?.state.rawValue ?? "unknown")")
        }
    }
}
