import Auth
import Configuration
import Transport
import VirtualServers

/// Configuration and what the upstreams offer under it, as of one moment. Swapped whole; a call keeps the one it began with.
struct Snapshot: Sendable {
    let settings: Settings
    let identity: Identity
    let upstreams: [String: Upstream]
    /// By the virtual server's name.
    let exposures: [String: Exposure]

    /// The same configuration, held against what the upstreams offer now.
    func refreshed(baselines: Baselines, servers: some Collection<VirtualServerDefinition>) -> Snapshot {
        var exposures = exposures
        for definition in servers {
            var catalogues: [String: Catalogue] = [:]
            for name in definition.upstreams {
                guard let tools = upstreams[name]?.tools else { continue }
                catalogues[name] = Catalogue(tools: tools, baseline: baselines.baseline(of: name, now: tools))
            }
            exposures[definition.name] = Exposure(
                definition, catalogues: catalogues, prohibitions: settings.policy, pageLength: settings.limits.listPage)
        }
        return Snapshot(settings: settings, identity: identity, upstreams: upstreams, exposures: exposures)
    }
}
