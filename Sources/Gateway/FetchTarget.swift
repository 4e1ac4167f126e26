import Auth
import Configuration
import Network

/// How far a request may reach.
enum FetchReach: CaseIterable, Sendable {
    case anywhere, internet, internetAndLoopback, loopback

    func includes(_ address: SocketAddress) -> Bool {
        switch self {
        case .anywhere: true
        case .internet: address.isPublic
        case .internetAndLoopback: address.isPublic || address.isLoopback
        case .loopback: address.isLoopback
        }
    }
}

/// An address to fetch, taken apart.
struct FetchTarget: CustomStringConvertible {
    let address: WebAddress

    /// Throws for what is no plain http or https address.
    init(_ url: String) throws(FetchFailure) {
        guard let address = WebAddress(url), address.scheme == "https" || address.scheme == "http", address.userInformation == nil else {
            throw FetchFailure("what should be an address is none")
        }
        self.address = address
    }

    private init(_ address: WebAddress) { self.address = address }

    var origin: HTTPOrigin { HTTPOrigin(isTLS: address.scheme == "https", host: address.host, port: UInt16(clamping: address.portOrDefault)) }
    var target: String { (address.path.isEmpty ? "/" : address.path) + (address.query.map { "?" + $0 } ?? "") }
    /// Without the query, where secrets may stand.
    var description: String { address.origin + address.path }

    /// How far it may reach; throws where it may not be fetched at all.
    func reach(_ source: FetchRequest.Source, _ rules: GuardedFetch.Rules, isProxied: Bool) throws(NetworkError) -> FetchReach {
        let mayReachLoopback = source == .configured || rules.allowsLoopback || rules.allowedHosts.contains(address.host)
        if address.scheme == "http" {
            guard mayReachLoopback, isLoopback else { throw NetworkError(.connect, "it is not https") }
            return .loopback
        }
        if source == .configured || rules.allowedHosts.contains(address.host) { return .anywhere }
        let reach: FetchReach = rules.allowsLoopback ? .internetAndLoopback : .internet
        if isProxied, let literal = SocketAddress(literal: address.host, port: 0), !reach.includes(literal) {
            throw NetworkError(.connect, "it is not a public address")
        }
        return reach
    }

    /// The place that a redirect names; nil for another host, port or scheme (a way around the checks of the first address).
    func redirected(to place: String) -> FetchTarget? {
        if place.hasPrefix("/"), !place.hasPrefix("//") { return WebAddress(address.origin + place).map(FetchTarget.init) }
        guard let next = WebAddress(place), next.scheme == address.scheme, next.host == address.host, next.portOrDefault == address.portOrDefault,
            next.userInformation == nil
        else { return nil }
        return FetchTarget(next)
    }

    /// By its name or literal; where it really leads is seen when it is connected to.
    private var isLoopback: Bool { address.host == "localhost" || SocketAddress(literal: address.host, port: 0)?.isLoopback == true }
}
