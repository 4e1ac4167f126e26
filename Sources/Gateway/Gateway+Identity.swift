import Auth
import Configuration
import Network

extension Gateway {
    /// Who recognises callers, under the configuration in force.
    package var identity: Identity { snapshot.identity }

    /// Says where the gateway listens, whatever its configuration says; discovery keeps away from loopback where others can call.
    func listens(on addresses: [ListenAddress]) {
        if !GuardedFetch.Rules.isLoopback(addresses) { fetch.expose() }
    }

    /// Puts the keys of the keys file in force where the rest of the configuration can't be.
    func reloadKeys() {
        guard let keys = settings.currentKeys() else { return }
        identity.use(keys)
        identityChanged()
    }

    /// Reads issuers' keys before anybody has to wait for them. On a loop.
    func keepKeysFresh() async { await identity.keepKeysFresh() }
}

extension GuardedFetch.Rules {
    /// What `discovery:` allows, and loopback where nothing else is listened on.
    init(_ settings: Settings) {
        self.init(allowedHosts: Set(settings.discoveryHosts), allowsLoopback: Self.isLoopback(settings.listen))
    }

    static func isLoopback(_ addresses: [ListenAddress]) -> Bool {
        addresses.allSatisfy { $0.host == "localhost" || SocketAddress(literal: $0.host, port: 0)?.isLoopback == true }
    }
}
