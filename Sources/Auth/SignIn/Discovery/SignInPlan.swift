/// What signing in to an upstream takes: where, and what is asked for there.
struct SignInPlan: Hashable, Sendable {
    let server: AuthorizationServer
    /// Sent as `resource`; nil where nothing is.
    let resource: String?
    let scopes: [String]
    /// The origins that the configuration named, which may lie anywhere.
    let configuredOrigins: Set<String>

    /// Who named this address.
    func source(of address: String) -> FetchRequest.Source {
        HTTPAddress(address).map { configuredOrigins.contains($0.origin) } == true ? .configured : .discovered
    }
}
