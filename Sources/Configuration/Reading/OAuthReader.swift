import Auth
import Diagnostics

/// Reads `oauth:` of a credential.
struct OAuthReader {
    let references: SecretReferenceReader
    /// The upstream's name as the names of variables begin, such as `JIRA`.
    let variable: String

    private enum Grant { case clientCredentials, tokenExchange, authorizationCode }
    private static let grants: KeyValuePairs = [
        "client_credentials": Grant.clientCredentials, "token_exchange": .tokenExchange, "authorization_code": .authorizationCode,
    ]

    /// The definition; nil where something is wrong, and it is noted.
    func read(_ node: YAMLNode, _ findings: inout Findings) -> CredentialDefinition? {
        let before = findings.problems.count
        guard let entries = node.entries("`oauth`", &findings) else { return nil }
        guard let grantNode = entries.first(where: { $0.key == "grant" })?.value else {
            findings.add("`oauth` does not say which `grant`", at: node.position, fix: "write \(orList(Self.grants.map { "`grant: \($0.key)`" }))")
            return nil
        }
        // Which keys belong here hangs on it.
        guard let grant = grantNode.choice("grant", Self.grants, &findings) else { return nil }
        if grant == .authorizationCode { return AuthorizationCodeReader(oauth: self).read(node, &findings) }
        guard let section = Section(node, "`oauth`", Self.keys, &findings) else { return nil }
        let tokenURL = tokenURL(section, &findings)
        let id = clientID(section, &findings)
        let authentication = authentication(section, &findings)
        let issuer = issuer(section, &findings)
        let demand = demand(section, &findings)
        guard findings.problems.count == before, let tokenURL, let id, let authentication else { return nil }
        let client = OAuthClientDefinition(tokenURL: tokenURL, clientID: id, authentication: authentication, issuer: issuer)
        return grant == .tokenExchange ? .tokenExchange(client, demand) : .clientCredentials(client, demand)
    }

    private func tokenURL(_ section: Section, _ findings: inout Findings) -> String? {
        guard let node = section["token_url"] else {
            findings.add("`oauth` has no `token_url`", at: section.position, fix: "write the address of the authorization server's token endpoint")
            return nil
        }
        guard let text = node.text("token_url", &findings), let address = webAddress(text, "token_url", at: node.position, &findings) else {
            return nil
        }
        guard address.scheme == "https" || IPAddress.isLoopback(address.host) else {
            findings.add("secrets and tokens would travel in clear text to \(address.host)", at: node.position, fix: "write https://…")
            return nil
        }
        return text
    }

    /// Whom an assertion is for; nil where it is not said.
    private func issuer(_ section: Section, _ findings: inout Findings) -> String? {
        guard let node = section["issuer"], let text = node.text("issuer", &findings) else { return nil }
        if section["client_auth"]?.scalar?.text != "private_key_jwt" {
            findings.add("`issuer` belongs to `client_auth: private_key_jwt`", at: node.position, fix: "write that, or remove it")
        } else if WebAddress(text).map({ $0.query != nil || $0.fragment != nil }) ?? true {
            findings.add("`issuer` is no absolute address without a query and a fragment (RFC 8414 §2)", at: node.position, fix: "write https://…")
        }
        return text
    }

    func clientID(_ section: Section, _ findings: inout Findings) -> SecretReference? {
        guard let node = section["client_id"] else {
            findings.add("`oauth` has no `client_id`", at: section.position, fix: "write the id that the authorization server knows the gateway by")
            return nil
        }
        // An id is no secret, so it may stand there as it is.
        return references.read(node, "client_id", &findings)
    }

    func authentication(_ section: Section, _ findings: inout Findings) -> OAuthClientDefinition.Authentication? {
        enum Method { case post, basic, key }
        let written = section["client_auth"].map {
            $0.choice("client_auth", ["post": Method.post, "basic": .basic, "private_key_jwt": .key], &findings)
        }
        let method = written ?? nil
        if method == .key {
            if section["client_secret"] != nil {
                findings.add(
                    "`private_key_jwt` takes a `key` in the place of a `client_secret`", at: section.position(of: "client_secret"), fix: "remove it")
            }
            return SigningReader(references: references, variable: variable).read(section, "private_key_jwt", &findings).map { .privateKeyJWT($0) }
        }
        for key in ["key", "key_id", "algorithm"] where section[key] != nil {
            findings.add("`\(key)` belongs to `client_auth: private_key_jwt`", at: section.position(of: key), fix: "write that, or remove it")
        }
        guard let node = section["client_secret"] else {
            findings.add(
                "`oauth` has no `client_secret`", at: section.position, fix: "write client_secret: \"${env:\(variable)_CLIENT_SECRET}\"")
            return nil
        }
        guard let secret = references.readSecret(node, "client_secret", variable: "\(variable)_CLIENT_SECRET", &findings) else { return nil }
        switch method {
        case .post: return .post(secret)
        case .basic: return .basic(secret)
        default: return .postOrBasic(secret)
        }
    }

    func scopes(_ section: Section, _ findings: inout Findings) -> [String] {
        var scopes: [String] = []
        for node in section["scopes"]?.elements("scopes", &findings) ?? [] {
            guard let scope = node.text("scopes", &findings) else { continue }
            // RFC 6749 §3.3.
            if scope.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
                scopes.append(scope)
            } else {
                findings.add("\(quoted(scope)) is no scope", at: node.position, fix: "write one scope for each entry, without blanks")
            }
        }
        return scopes
    }

    private func demand(_ section: Section, _ findings: inout Findings) -> TokenDemand {
        var demand = TokenDemand()
        demand.scopes = scopes(section, &findings)
        if let node = section["resource"], let text = node.text("resource", &findings) {
            if let address = WebAddress(text), address.fragment == nil {
                demand.resource = text
            } else {
                findings.add("`resource` is no absolute address without a fragment (RFC 8707 §2)", at: node.position, fix: "write https://…")
            }
        }
        demand.audience = section["audience"].flatMap { $0.text("audience", &findings) }
        return demand
    }

    private static let keys = Section.Keys(
        known: [
            "grant", "token_url", "issuer", "client_id", "client_secret", "client_auth", "key", "key_id", "algorithm", "scopes", "resource",
            "audience",
        ],
        refused: ["scope": ("`oauth` has no `scope`", "write `scopes: [first, second]`")])
}
