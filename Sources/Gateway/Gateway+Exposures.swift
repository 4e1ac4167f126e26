import Auth
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    private static let serverGone = ProtocolError(.internalError, "the virtual server has gone")

    /// The virtual server as it stands, once its upstreams have had their chance: the first list waits a little for those that start.
    ///
    /// Upstreams that start for that are told of `abilities`.
    func exposure(of server: String, for caller: Caller, with abilities: ClientAbilities) async throws(ProtocolError) -> (Snapshot, Exposure) {
        let snapshot = snapshot
        guard let exposure = exposure(of: server, for: caller, in: snapshot) else { throw Self.serverGone }
        guard !exposure.missingUpstreams.isEmpty else { return (snapshot, exposure) }
        let missing = exposure.definition.upstreams.compactMap { name in
            exposure.missingUpstreams.contains(name) ? snapshot.upstreams[name]?.lister(for: caller, abilities: abilities) : nil
        }
        for upstream in missing { upstream.start() }
        for upstream in missing { await upstream.settledAtFirst() }
        let later = self.snapshot
        guard let fresh = self.exposure(of: server, for: caller, in: later) else { throw Self.serverGone }
        return (later, fresh)
    }

    func exposure(for call: Call) async throws(ProtocolError) -> (Snapshot, Exposure) {
        try await exposure(of: call.server, for: call.caller, with: call.abilities)
    }

    /// The virtual server as this caller sees it now. Where no upstream has lists of its own for callers, that is one for all.
    func exposure(of server: String, for caller: Caller, in snapshot: Snapshot) -> Exposure? {
        guard let personal = snapshot.personal[server] else { return snapshot.exposures[server] }
        let lists = personal.map { $0.list(for: caller) }
        return personalExposures.exposure(of: server, in: snapshot, lists: lists, baselines: baselines)
    }
}
