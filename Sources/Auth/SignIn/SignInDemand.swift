/// What a caller shall sign in to.
package struct SignInDemand: Sendable {
    package var upstream: String
    /// The upstream's own.
    package var address: String
    package var definition: SignInDefinition
    /// Scopes that the upstream asked for besides (RFC 6750 §3.1).
    package var scopes: [String]

    package init(upstream: String, address: String, definition: SignInDefinition, scopes: [String] = []) {
        self.upstream = upstream
        self.address = address
        self.definition = definition
        self.scopes = scopes
    }
}

/// A link that one caller was given, for a person to open.
package struct SignInLink: Hashable, Sendable {
    /// Tells this sign-in from others, and opens nothing.
    package let id: String
    /// Opens the page, once. A secret of the caller's until then.
    package let url: String
}

/// Why nobody can sign in. The text is for the log.
package enum SignInFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is nobody to keep a token for.
    case anonymous
    /// The gateway does not know an address that browsers could come back to.
    case noSite
    /// The caller signed in with these scopes already, and the upstream wants them again.
    case inVain
    case tooMany
    case unavailable(String)

    package var description: String {
        switch self {
        case .anonymous: "the caller is anonymous"
        case .noSite: "the gateway has no https address that browsers could come back to; set `public_url`"
        case .inVain: "the upstream asks for scopes that were granted already"
        case .tooMany: "too many sign-ins are under way"
        case .unavailable(let text): text
        }
    }
}

package struct SignInLimits: Sendable {
    /// How long a link is good.
    package var linkLife = Duration.seconds(600)
    package var pendingMax = 2_000
    package var pendingPerCallerMax = 8
    /// How long what discovery found is used.
    package var planLife = Duration.seconds(600)
    /// How long it is not tried again after it failed.
    package var failureLife = Duration.seconds(5)

    package init() {}
}
