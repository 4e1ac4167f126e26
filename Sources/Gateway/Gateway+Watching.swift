import Auth
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    package func watch(_ uris: [String], for call: Call) async -> [Result<ResourceWatch, ProtocolError>] {
        guard let (snapshot, exposure) = try? await exposure(for: call) else {
            return uris.map { .failure(Wanted.notFound($0, in: call.era)) }
        }
        // All are begun before the first is waited for.
        let begun = uris.map { uri in Result { () throws(ProtocolError) in try beginWatch(uri, for: call, in: exposure, of: snapshot) } }
        var results: [Result<ResourceWatch, ProtocolError>] = []
        for (uri, begun) in zip(uris, begun) {
            guard case .success(let begun) = begun else {
                results.append(begun.map(\.watch))
                continue
            }
            let isHeard = await begun.upstream.hears(of: begun.watch)
            results.append(isHeard ? .success(begun.watch) : .failure(cannotWatch(uri)))
        }
        return results
    }

    /// The watch is kept by the instance that answers this client's calls, which alone knows what they change.
    private func beginWatch(
        _ uri: String, for call: Call, in exposure: Exposure, of snapshot: Snapshot
    ) throws(ProtocolError) -> (upstream: Upstream, watch: ResourceWatch) {
        try Wanted.check(uri: uri)
        guard let exposed = exposure.find(.resources, uri), exposure.denial(of: exposed, for: call.caller) == nil,
            let upstream = try? snapshot.upstreams[exposure.upstream(of: exposed)]?.instance(for: call)
        else { throw Wanted.notFound(uri, in: call.era) }
        return (upstream, upstream.watch(uri, for: call.caller))
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
