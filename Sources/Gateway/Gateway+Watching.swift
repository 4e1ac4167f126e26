import Auth
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    package func watch(
        _ uris: [String], of server: String, for caller: Caller, in era: Era
    ) async -> [Result<ResourceWatch, ProtocolError>] {
        guard let (snapshot, exposure) = try? await exposure(of: server, for: caller) else {
            return uris.map { .failure(Wanted.notFound($0, in: era)) }
        }
        // All are begun before the first is waited for.
        var begun: [(upstream: Upstream, watch: ResourceWatch)?] = []
        for uri in uris { begun.append(await beginWatch(uri, in: exposure, of: snapshot, for: caller)) }
        var results: [Result<ResourceWatch, ProtocolError>] = []
        for (uri, begun) in zip(uris, begun) {
            guard let begun else {
                results.append(.failure(Wanted.notFound(uri, in: era)))
                continue
            }
            let isHeard = await begun.upstream.hears(of: begun.watch)
            results.append(isHeard ? .success(begun.watch) : .failure(cannotWatch(uri)))
        }
        return results
    }

    private func beginWatch(
        _ uri: String, in exposure: Exposure, of snapshot: Snapshot, for caller: Caller
    ) async -> (upstream: Upstream, watch: ResourceWatch)? {
        guard let exposed = exposure.find(.resources, uri), exposure.denial(of: exposed, for: caller) == nil,
            let upstream = snapshot.upstreams[exposure.upstream(of: exposed)]?.instance(for: caller)
        else { return nil }
        return (upstream, upstream.watch(uri, for: caller))
    }

    private func cannotWatch(_ uri: String) -> ProtocolError {
        ProtocolError(.invalidParams, "Resource can't be subscribed to", data: ["uri": .string(uri)])
    }

    /// Tells those who watch a resource, and may still read it, that it has changed.
    func resourceChanged(_ uri: String, of upstream: Upstream) {
        let snapshot = snapshot
        changes.publishUpdate(of: uri, from: upstream) { server, caller in
            exposure(of: server, for: caller, in: snapshot)?.mayRead(uri, of: upstream.name, as: caller) ?? false
        }
    }
}
