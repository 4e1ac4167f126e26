import Auth
import Configuration
import Transport
import VirtualServers

/// Configuration and what the upstreams offer under it, as of one moment. Swapped whole; a call keeps the one it began with.
final class Snapshot: Sendable {
    let settings: Settings
    let identity: Identity
    let upstreams: [String: UpstreamInstances]
    /// By the virtual server's name, with the lists that everybody may see.
    let exposures: [String: Exposure]
    /// The virtual servers whose lists depend on the caller's credentials, and the upstreams that this comes from.
    let personal: [String: [UpstreamInstances]]
    /// Another one for each snapshot, so that what was made for an earlier one is not taken for this one's.
    let generation: Int

    init(
        settings: Settings, identity: Identity, upstreams: [String: UpstreamInstances], exposures: [String: Exposure] = [:], generation: Int = 0
    ) {
        self.settings = settings
        self.identity = identity
        self.upstreams = upstreams
        self.exposures = exposures
        self.generation = generation
        var personal: [String: [UpstreamInstances]] = [:]
        for definition in settings.virtualServers {
            let own = definition.upstreams.compactMap { upstreams[$0] }.filter(\.hasPersonalLists)
            if !own.isEmpty { personal[definition.name] = own }
        }
        self.personal = personal
    }

    /// The same configuration, held against what the upstreams offer now.
    func refreshed(baselines: Baselines, servers: some Collection<VirtualServerDefinition>) -> Snapshot {
        var exposures = exposures
        for definition in servers {
            exposures[definition.name] = exposure(of: definition, baselines: baselines) { $0.commonList }
        }
        return Snapshot(settings: settings, identity: identity, upstreams: upstreams, exposures: exposures, generation: generation + 1)
    }

    /// A virtual server held against those lists; an upstream whose list is nil is missing.
    func exposure(
        of definition: VirtualServerDefinition, baselines: Baselines, lists: (UpstreamInstances) -> UpstreamList?
    ) -> Exposure {
        var catalogues: [String: Catalogue] = [:]
        for name in definition.upstreams {
            guard let upstream = upstreams[name], let offer = lists(upstream)?.offer else { continue }
            catalogues[name] = Catalogue(offer, baseline: baselines.baseline(of: name, now: offer.tools))
        }
        return Exposure(definition, catalogues: catalogues, prohibitions: settings.policy, pageLength: settings.limits.listPage)
    }
}
