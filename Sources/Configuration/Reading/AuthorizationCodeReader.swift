import Auth
import Diagnostics

/// Reads `oauth:` with `grant: authorization_code`.
struct AuthorizationCodeReader {
    let oauth: OAuthReader

    /// The definition; nil where something is wrong, and it is noted.
    func read(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        let before = findings.problems.count
        guard let section = Section(node, "`oauth` with authorization_code", Self.keys, &findings) else { return nil }
        let server = server(section, &findings)
        let client = client(section, &findings)
        let scopes = oauth.scopes(section, &findings)
        let resource = resource(section, &findings)
        if client == nil, section["client_id"] == nil {
            for key in ["client_secret", "client_auth", "key", "key_id", "algorithm"] where section[key] != nil {
                findings.add("`\(key)` without a `client_id`", at: section.position(of: key), fix: "write the id, or leave both out")
            }
            switch server {
            case .provider(let provider):
                findings.add(
                    "\(provider.rawValue) knows registered clients only", at: section.position,
                    fix: "register the gateway there, with PUBLIC_URL/oauth/callback, and write `client_id` and `client_secret`")
            case .endpoints:
                findings.add(
                    "a server without metadata knows registered clients only", at: section.position, fix: "write `client_id`")
            case .discovered, .issuer, nil: break
            }
        }
        guard findings.problems.count == before, !section.hasRefusedKeys, let server, let resource else { return nil }
        return .authorizationCode(SignInDefinition(server: server, client: client, scopes: scopes, resource: resource))
    }

    private func server(_ section: Section, _ findings: inout Findings) -> SignInDefinition.Server? {
        let ways = ["provider", "issuer", "authorization_url"].filter { section[$0] != nil }
        guard ways.count <= 1 else {
            let names = ways.map { "`\($0)`" }.joined(separator: " and ")
            findings.add("\(names) both say where users sign in", at: section.position(of: ways[1]), fix: "keep one of them")
            return nil
        }
        if section["authorization_url"] == nil, section["token_url"] != nil {
            findings.add("`token_url` without an `authorization_url`", at: section.position(of: "token_url"), fix: "write both, or neither")
            return nil
        }
        if let node = section["provider"] {
            return node.choice(
                "provider", ["github": SignInProvider.github, "slack": .slack, "atlassian": .atlassian], &findings
            ).map { .provider($0) }
        }
        if section["issuer"] != nil { return address("issuer", section, &findings).map { .issuer($0) } }
        guard section["authorization_url"] != nil else { return .discovered }
        guard section["token_url"] != nil else {
            findings.add("`authorization_url` without a `token_url`", at: section.position(of: "authorization_url"), fix: "write both, or neither")
            return nil
        }
        guard let authorization = address("authorization_url", section, &findings), let token = address("token_url", section, &findings) else {
            return nil
        }
        return .endpoints(authorization: authorization, token: token)
    }

    private func address(_ key: String, _ section: Section, _ findings: inout Findings) -> String? {
        guard let node = section[key], let text = node.text(key, &findings), let address = webAddress(text, key, at: node.position, &findings) else {
            return nil
        }
        guard address.scheme == "https" || IPAddress.isLoopback(address.host) else {
            findings.add("codes and tokens would travel in clear text to \(address.host)", at: node.position, fix: "write https://…")
            return nil
        }
        return text
    }

    private func client(_ section: Section, _ findings: inout Findings) -> SignInDefinition.Client? {
        guard section["client_id"] != nil, let id = oauth.clientID(section, &findings) else { return nil }
        let isPublic = section["client_secret"] == nil && section["client_auth"] == nil
        guard let authentication = isPublic ? OAuthClientDefinition.Authentication.none : oauth.authentication(section, &findings) else { return nil }
        return SignInDefinition.Client(id: id, authentication: authentication)
    }

    private func resource(_ section: Section, _ findings: inout Findings) -> SignInDefinition.Resource? {
        guard let node = section["resource"] else { return .automatic }
        guard let text = node.text("resource", &findings) else { return nil }
        if text == "none" { return SignInDefinition.Resource.none }
        guard let address = WebAddress(text), address.fragment == nil else {
            findings.add(
                "`resource` is no absolute address without a fragment (RFC 8707 §2)", at: node.position,
                fix: "write https://…, or none to send none")
            return nil
        }
        return .named(text)
    }

    private static let keys = Section.Keys(
        known: [
            "grant", "provider", "issuer", "authorization_url", "token_url", "client_id", "client_secret", "client_auth", "key", "key_id",
            "algorithm", "scopes", "resource",
        ],
        refused: [
            "scope": ("`oauth` has no `scope`", "write `scopes: [first, second]`"),
            "audience": ("`authorization_code` has no `audience`", "write `resource: https://…`"),
            "redirect_uri": ("the redirect address is not for choice", "register PUBLIC_URL/oauth/callback"),
        ])
}
