/// `provider:`, a service whose endpoints are known and whose answers have a manner of their own.
package enum SignInProvider: String, CaseIterable, Hashable, Sendable {
    case github, slack, atlassian

    var server: AuthorizationServer {
        switch self {
        case .github:
            AuthorizationServer(
                issuer: nil, authorizationEndpoint: "https://github.com/login/oauth/authorize",
                tokenEndpoint: "https://github.com/login/oauth/access_token")
        case .slack:
            AuthorizationServer(
                issuer: nil, authorizationEndpoint: "https://slack.com/oauth/v2_user/authorize",
                tokenEndpoint: "https://slack.com/api/oauth.v2.user.access")
        case .atlassian:
            AuthorizationServer(
                issuer: nil, authorizationEndpoint: "https://auth.atlassian.com/authorize", tokenEndpoint: "https://auth.atlassian.com/oauth/token",
                parameters: [("audience", "api.atlassian.com"), ("prompt", "consent")])
        }
    }
}
