import Auth
import MCPProtocol
import Transport
import VirtualServers

extension Gateway {
    package func watch(_ uris: [String], for call: Call) async -> [Result<ResourceWatch, ProtocolError>] {
        guard let (snapshot, exposure) = try? await exposure(for: call) else {
            return uris.map { .failure(Wanted.notFound($0, in: call.era)) }
        }
        var found: [Result<ResourceWatch, ProtocolError>] = []
        for uri in uris {
            // Many templates and long URIs take their time, which others on this loop shall not wait for.
            if found.count % Self.watchesAtOnce == Self.watchesAtOnce - 1 { await Task.yield() }
            guard !call.cancellation.isCancelled else { break }
            do throws(ProtocolError) {
                found.append(.success(try watch(uri, for: call, in: exposure, of: snapshot)))
            } catch {
                found.append(.failure(error))
            }
        }
        return found
    }

    private static let watchesAtOnce = 32

    /// The watch is kept by the instance that answers this client's calls, which alone knows what they change.
    private func watch(_ uri: String, for call: Call, in exposure: Exposure, of snapshot: Snapshot) throws(ProtocolError) -> ResourceWatch {
        try Wanted.check(uri: uri)
        guard let exposed = exposure.find(.resources, uri), exposure.denial(of: exposed, for: call.caller) == nil else {
            throw Wanted.notFound(uri, in: call.era)
        }
        let name = exposure.upstream(of: exposed)
        let wish = WatchRegister.Wish(upstream: name, caller: call.caller, abilities: call.abilities, session: call.session)
        guard let upstream = try? snapshot.upstreams[name]?.instance(for: call) else { throw Wanted.notFound(uri, in: call.era) }
        let limits = snapshot.settings.limits
        let watch = watches.admit(wish, countMax: limits.watchesMax, ofCallerMax: limits.watchesOfCallerMax) { onEnd in
            ResourceWatch(uri, by: upstream.hold(uri, for: call.caller), onEnd: onEnd)
        }
        guard let watch else {
            throw ProtocolError(.invalidParams, "Too many resources are subscribed to; unsubscribe from others first", data: ["uri": .string(uri)])
        }
        return watch
    }

    /// Goes on watching at upstreams that have taken the place of others. What changed meanwhile nobody knows: those who watch are told that it may.
    func moveWatches(to upstreams: [UpstreamInstances]) {
        for instances in upstreams {
            for (watch, wish) in watches.watches(of: instances.name) {
                guard let upstream = try? instances.instance(for: wish.caller, wish.abilities, session: wish.session) else { continue }
                watch.move(to: upstream.hold(watch.uri, for: wish.caller, isPromised: true))
            }
        }
    }

    /// Tells those who watch a resource, and may still read it, that it has changed.
    func resourceChanged(_ uri: String, of upstream: Upstream) {
        let snapshot = snapshot
        changes.publishUpdate(of: uri, from: upstream) { server, caller in
            exposure(of: server, for: caller, in: snapshot)?.mayRead(uri, of: upstream.name, as: caller) ?? false
        }
    }
}
