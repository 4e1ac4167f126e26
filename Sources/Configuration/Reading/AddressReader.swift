import Diagnostics
import Transport

/// `url:` of an upstream.
func upstreamURL(_ node: YAMLNode, _ findings: inout Findings) -> UpstreamURL? {
    guard let text = node.text("url", &findings), let address = webAddress(text, "url", at: node.position, &findings) else { return nil }
    if let query = address.query, query.split(separator: "&").contains(where: { SecretLook.isSecretName(String($0.prefix { $0 != "=" })) }) {
        findings.warn("`url` seems to hold a secret in its query", at: node.position, fix: "prefer `credential`, if the upstream takes it")
    }
    let path = address.path.isEmpty ? "/" : address.path
    return UpstreamURL(
        isTLS: address.scheme == "https", host: address.host, port: address.portOrDefault,
        target: address.query.map { path + "?" + $0 } ?? path)
}

/// `public_url:`, without a slash at its end.
func publicURL(_ node: YAMLNode, _ findings: inout Findings) -> String? {
    guard let text = node.text("public_url", &findings), let address = webAddress(text, "public_url", at: node.position, &findings) else {
        return nil
    }
    guard address.query == nil else {
        findings.add("`public_url` has a query", at: node.position, fix: "write only https://HOST and perhaps a path")
        return nil
    }
    var path = address.path
    while path.hasSuffix("/") { path.removeLast() }
    return address.origin + path
}

/// `allowed_origins:`, as browsers spell them.
func origins(_ node: YAMLNode, _ findings: inout Findings) -> [String] {
    var origins: [String] = []
    for element in node.elements("allowed_origins", &findings) ?? [] {
        guard let text = element.text("allowed_origins", &findings) else { continue }
        let address = WebAddress(text)
        if let address, address.path.isEmpty, address.query == nil, address.fragment == nil, address.userInformation == nil {
            origins.append(address.origin)
        } else if let address, address.userInformation == nil {
            findings.add("\(quoted(text)) is more than an origin", at: element.position, fix: "write \(address.origin)")
        } else {
            // `*` and `null` would let any page in a browser reach the gateway (DNS rebinding).
            findings.add("`allowed_origins` holds something that is no origin", at: element.position, fix: "write https://app.example.com")
        }
    }
    return origins
}

/// An `http` or `https` address without user information and fragment.
func webAddress(_ text: String, _ name: String, at position: SourcePosition, _ findings: inout Findings) -> WebAddress? {
    guard !text.contains("${") else {
        findings.add(
            "`\(name)` holds a reference, which is not looked up here", at: position, fix: "write the address as it is, and secrets in `credential`")
        return nil
    }
    guard let address = WebAddress(text) else {
        let shown = text.contains("@") ? "this" : quoted(text)
        let fix = text.contains("://") ? "look for characters that need escaping" : "write https://HOST/PATH"
        findings.add("`\(name)` must be an address, and \(shown) is none", at: position, fix: fix)
        return nil
    }
    guard address.scheme == "http" || address.scheme == "https" else {
        findings.add("`\(name)` must begin with http:// or https://, not \(address.scheme)://", at: position, fix: "write https://HOST/PATH")
        return nil
    }
    guard address.userInformation == nil else {
        let fix = name == "url" ? "remove it and write credential: { basic: { username: …, password: \"${env:NAME}\" } }" : "remove it"
        findings.add("`\(name)` holds a user name or password", at: position, fix: fix)
        return nil
    }
    guard address.fragment == nil else {
        findings.add("`\(name)` has a fragment, which never reaches a server", at: position, fix: "remove what begins with #")
        return nil
    }
    return address
}
