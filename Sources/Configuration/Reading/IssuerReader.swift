import Auth
import Diagnostics

/// Reads one entry of `identity.issuers`.
enum IssuerReader {
    /// The issuer; nil where something is wrong, and it is noted.
    static func read(_ node: YAMLNode, _ findings: inout Findings) -> IssuerSettings? {
        let before = findings.problems.count
        let keys = Section.Keys(known: ["issuer", "audience", "jwks_url", "algorithms", "claims", "scopes"])
        guard let section = Section(node, "an issuer", keys, &findings) else { return nil }
        let issuer = section["issuer"].flatMap { name($0, &findings) }
        if section["issuer"] == nil {
            findings.add(
                "an issuer has no `issuer`", at: section.position, fix: "write `issuer: https://login.example.com/`, exactly as in its tokens")
        }
        let audiences = section["audience"].map { self.audiences($0, &findings) } ?? []
        if section["audience"] == nil {
            // Without it a token for any other service of the same issuer would open this one.
            findings.add("an issuer has no `audience`", at: section.position, fix: "write what its tokens have in `aud`, such as the `public_url`")
        }
        let jwks = section["jwks_url"].flatMap { safeAddress($0, "jwks_url", &findings) }
        let algorithms = section["algorithms"].map { self.algorithms($0, &findings) } ?? SignatureAlgorithm.standard
        let claims = claims(section["claims"], &findings)
        let scopes = section["scopes"].map { self.scopes($0, &findings) } ?? []
        guard findings.problems.count == before, let issuer else { return nil }
        return IssuerSettings(issuer: issuer, audiences: audiences, jwksURL: jwks, algorithms: algorithms, claims: claims, scopes: scopes)
    }

    private static func name(_ node: YAMLNode, _ findings: inout Findings) -> String? {
        guard let text = safeAddress(node, "issuer", &findings) else { return nil }
        guard !text.contains("?") else {
            findings.add("`issuer` has a query (RFC 8414 §2)", at: node.position, fix: "write it exactly as in its tokens")
            return nil
        }
        return text
    }

    /// The text as it stands, where it is an https address, or one on loopback.
    private static func safeAddress(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> String? {
        guard let text = node.text(name, &findings), let address = webAddress(text, name, at: node.position, &findings) else { return nil }
        guard address.scheme == "https" || IPAddress.isLoopback(address.host) else {
            // Whoever is on the way could send keys of their own, and sign what they like.
            findings.add("`\(name)` must be https, for who is trusted hangs on what it answers", at: node.position, fix: "write https://…")
            return nil
        }
        return text
    }

    private static func audiences(_ node: YAMLNode, _ findings: inout Findings) -> [String] {
        let elements = if case .sequence(let nodes) = node.content { nodes } else { [node] }
        if elements.isEmpty { findings.add("`audience` is empty", at: node.position, fix: "write what the tokens have in `aud`") }
        return elements.compactMap { $0.text("audience", &findings) }
    }

    private static func scopes(_ node: YAMLNode, _ findings: inout Findings) -> [String] {
        (node.elements("scopes", &findings) ?? []).compactMap { element in
            guard let text = element.text("scopes", &findings) else { return nil }
            // RFC 6749 §3.3; they are shown to clients in a header.
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
                findings.add("\(quoted(text)) is no scope", at: element.position, fix: "write one scope for each entry of the list")
                return nil
            }
            return text
        }
    }

    private static func algorithms(_ node: YAMLNode, _ findings: inout Findings) -> [SignatureAlgorithm] {
        guard let elements = node.elements("algorithms", &findings) else { return [] }
        if elements.isEmpty { findings.add("`algorithms` is empty, so no token would be accepted", at: node.position, fix: "remove it") }
        return elements.compactMap { element in
            guard let text = element.text("algorithms", &findings) else { return nil }
            if let algorithm = SignatureAlgorithm(rawValue: text) { return algorithm }
            let names = SignatureAlgorithm.allCases.map(\.rawValue)
            if text.lowercased() == "none" {
                findings.add("`none` is never accepted: anyone could write such a token", at: element.position, fix: "remove it")
            } else if text.uppercased().hasPrefix("HS") {
                findings.add(
                    "\(quoted(text)) is never accepted: whoever can verify such a token can make one", at: element.position,
                    fix: "let the issuer sign with RS256 or ES256")
            } else {
                let fix = suggestion(for: text, among: names).map { "did you mean \"\($0)\"?" } ?? "write some of \(names.joined(separator: ", "))"
                findings.add("no algorithm is called \(quoted(text))", at: element.position, fix: fix)
            }
            return nil
        }
    }

    private static func claims(_ node: YAMLNode?, _ findings: inout Findings) -> ClaimNames {
        var claims = ClaimNames()
        guard let node, let section = Section(node, "`claims`", .init(known: ["user", "groups", "client"]), &findings) else { return claims }
        if let name = section["user"]?.text("user", &findings) { claims.user = name }
        if let name = section["groups"]?.text("groups", &findings) { claims.groups = name }
        if let name = section["client"]?.text("client", &findings) { claims.client = [name] }
        return claims
    }
}
