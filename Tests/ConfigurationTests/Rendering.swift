import Auth
import JSON
import Transport
import VirtualServers

@testable import Configuration

/// Settings as goldens show them.
func rendered(_ loaded: Loaded, folder: String) -> String {
    var lines = loaded.warnings.map { "warning: \($0)" }
    switch loaded {
    case .problems(let problems, _): lines += problems.map(\.description)
    case .settings(let settings, _):
        lines += settings.unresolved.sorted { $0.key < $1.key }.flatMap { entry in entry.value.map { "down: \(entry.key): \($0)" } }
        lines.append("listen: " + settings.listen.map(\.authority).joined(separator: " "))
        if let tls = settings.tls { lines.append("tls: \(tls.certificate) \(tls.privateKey) \(tls.clientCA ?? "")") }
        if let url = settings.publicURL { lines.append("public url: \(url)") }
        if !settings.allowedOrigins.isEmpty { lines.append("origins: \(settings.allowedOrigins.joined(separator: " "))") }
        lines += rendered(settings.identity)
        if !settings.discoveryHosts.isEmpty { lines.append("discovery: \(settings.discoveryHosts.joined(separator: " "))") }
        lines.append("state: \(settings.stateFolder)")
        for key in LimitSettings.keys {
            if let value = rendered(key, settings.limits) { lines.append("limit: \(value)") }
        }
        if let audit = settings.audit {
            lines.append("audit: \(audit.destination), when unwritable \(audit.whenUnwritable), values \(audit.values), at \(audit.position)")
        }
        for entry in settings.policy {
            lines += entry.deny.map { "policy: deny \(rendered($0))" } + entry.unless.map { "  unless: \($0.reference)" }
            if let reason = entry.reason { lines.append("  reason: \(reason)") }
        }
        lines += settings.upstreams.flatMap(rendered)
        lines += settings.virtualServers.flatMap(rendered)
        lines += settings.files.map { "file: \($0)" } + settings.secretFiles.map { "secret file: \($0)" }
    }
    return lines.map { $0.replacing(folder, with: "FOLDER") + "\n" }.joined()
}

/// Nil for a default.
private func rendered(_ key: LimitSettings.Key, _ limits: LimitSettings) -> String? {
    let standard = LimitSettings()
    switch key.kind {
    case .time(let member, _): return limits[keyPath: member] == standard[keyPath: member] ? nil : "\(key.name) \(spelled(limits[keyPath: member]))"
    case .bytes(let member, _):
        return limits[keyPath: member] == standard[keyPath: member] ? nil : "\(key.name) \(spelled(bytes: limits[keyPath: member]))"
    case .count(let member, _): return limits[keyPath: member] == standard[keyPath: member] ? nil : "\(key.name) \(limits[keyPath: member])"
    }
}

/// Nothing where nothing is configured.
private func rendered(_ identity: IdentitySettings) -> [String] {
    guard identity.isConfigured || !identity.anonymous else { return [] }
    var lines = ["anonymous: \(identity.anonymous)"]
    if let file = identity.keysFile { lines.append("keys file: \(file)") }
    lines += identity.keys.map { key in
        "  key \(key.id): \(key.name) \(key.groups) from \(Timestamp(seconds: key.created)) to \(key.expires.map { "\(Timestamp(seconds: $0))" } ?? "-")"
    }
    for issuer in identity.issuers {
        lines.append("issuer: \(issuer.issuer) for \(issuer.audiences) by \(issuer.algorithms.map(\.rawValue)), keys at \(issuer.jwksURL ?? "-")")
        lines.append("  claims: \(issuer.claims.user) \(issuer.claims.groups) \(issuer.claims.client)")
    }
    return lines
}

private func rendered(_ upstream: UpstreamDefinition) -> [String] {
    var lines = ["upstream \(upstream.name): era \(upstream.era), timeout \(spelled(upstream.timeout)), at \(upstream.position)"]
    switch upstream.endpoint {
    case .command(let program, let arguments, let environment, let directory):
        lines.append("  command: \([program] + arguments) in \(directory)")
        lines += environment.map { "  env: \($0.name)=\(rendered($0.value))" }
    case .url(let url, let transport):
        lines.append("  url: \(url.isTLS ? "https" : "http") host \(url.host) port \(url.port) target \(url.target), transport \(transport)")
    }
    if upstream.catalog == .shared { lines.append("  catalog: shared") }
    if upstream.instances != .shared { lines.append("  instances: \(upstream.instances)") }
    return lines + rendered(upstream.credential).map { "  " + $0 }
}

private func rendered(_ credential: CredentialDefinition) -> [String] {
    switch credential {
    case .none: []
    case .bearer(let token): ["bearer: \(rendered(token))"]
    case .headers(let headers): headers.map { "header: \($0.name): \(rendered($0.value))" }
    case .basic(let username, let password): ["basic: \(rendered(username)) \(rendered(password))"]
    case .clientCredentials(let client, let demand): ["client credentials: \(rendered(client)), \(rendered(demand))"]
    case .tokenExchange(let client, let demand): ["token exchange: \(rendered(client)), \(rendered(demand))"]
    case .signedJWT(let token):
        ["signed token: \(rendered(token.signing)), issuer \(token.issuer), audience \(token.audience), life \(spelled(token.life))"]
    case .authorizationCode(let signIn):
        [
            "sign-in: \(signIn.server), client \(signIn.client.map { "\(rendered($0.id)) by \(rendered($0.authentication))" } ?? "ours")"
                + ", scopes \(signIn.scopes.joined(separator: " ")), resource \(signIn.resource)"
        ]
    case .firstOf(let choices):
        choices.flatMap { choice in
            ["for \(choice.who.isEmpty ? "everyone" : choice.who.map(\.reference.text).joined(separator: " ")):"]
                + (choice.credential == .none ? ["  none"] : rendered(choice.credential).map { "  " + $0 })
        }
    }
}

private func rendered(_ client: OAuthClientDefinition) -> String {
    "\(client.tokenURL)\(client.issuer.map { " of \($0)" } ?? "") as \(rendered(client.clientID)) by \(rendered(client.authentication))"
}

private func rendered(_ authentication: OAuthClientDefinition.Authentication) -> String {
    switch authentication {
    case .post(let secret): "post \(rendered(secret))"
    case .basic(let secret): "basic \(rendered(secret))"
    case .postOrBasic(let secret): "post or basic \(rendered(secret))"
    case .privateKeyJWT(let signing): rendered(signing)
    case .none: "nothing"
    case .issued: "what the server gave"
    }
}

private func rendered(_ demand: TokenDemand) -> String {
    "scopes \(demand.scopes.joined(separator: " ")), resource \(demand.resource ?? "none"), audience \(demand.audience ?? "none")"
}

private func rendered(_ signing: SigningDefinition) -> String {
    "key \(rendered(signing.key)), id \(signing.keyID ?? "none"), \(signing.algorithm.rawValue)"
}

private func rendered(_ reference: SecretReference) -> String {
    reference.parts.map { part in
        switch part {
        case .text(let text): text
        case .environment(let name): "<env \(name)>"
        case .file(let path): "<file \(path)>"
        }
    }.joined()
}

private func rendered(_ server: VirtualServerDefinition) -> [String] {
    var lines = [
        "virtual server \(server.name): names \(server.naming), new tools \(server.newTools), access \(server.access == .everyone ? "everyone" : "roles")"
    ]
    for (name, text) in [("title", server.title), ("description", server.description), ("instructions", server.instructions)] {
        if let text { lines.append("  \(name): \(text)") }
    }
    for tool in server.tools {
        var line = "  tool: \(tool.pattern.upstream) \(tool.pattern.glob) at \(tool.pattern.position)"
        if let name = tool.exposedName { line += " as \(name)" }
        if let description = tool.description { line += ": \(description)" }
        lines.append(line)
        for rule in tool.arguments {
            var parts: [String] = []
            if let value = rule.fixed { parts.append("fixed \(value)") }
            if let value = rule.default { parts.append("default \(value)") }
            if let values = rule.allow { parts.append("allow \(values)") }
            if rule.hidden { parts.append("hidden") }
            lines.append("    \(rule.name): \(parts.joined(separator: ", "))")
        }
    }
    if case .roles(let roles) = server.access {
        for role in roles {
            lines.append("  role \(role.name) at \(role.position)")
            lines += role.who.map { "    who: \($0.reference)" }
            lines += role.allow.map { "    allow: \(rendered($0))" } + role.deny.map { "    deny: \(rendered($0))" }
        }
    }
    lines += server.prompts.map { "  prompts: \($0.upstream) \($0.glob)" } + server.resources.map { "  resources: \($0.upstream) \($0.glob)" }
    return lines
}

private func rendered(_ rule: Rule) -> String {
    let conditions = rule.conditions.map { "\($0.path)\($0.isNegated ? "!=" : "=")\($0.values.map(\.text))" }
    return ([rule.reference.description] + conditions).joined(separator: " ")
}
