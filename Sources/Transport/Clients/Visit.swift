import Auth

/// A request that was let in: to which virtual server, and from whom.
struct Visit: Sendable {
    let server: String
    let caller: Caller
    /// By which address.
    let route: HTTPRoute
    /// What lets a page of another origin read the answer.
    let fields: [(String, String)]
}
