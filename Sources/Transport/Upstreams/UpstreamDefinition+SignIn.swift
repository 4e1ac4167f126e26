import Auth

extension UpstreamDefinition.Endpoint {
    /// `https://host[:port]/path`, without a default port; nil for a child.
    package var address: String? {
        guard case .url(let url, _) = self else { return nil }
        let host = url.host.utf8.contains(UInt8(ascii: ":")) ? "[\(url.host)]" : url.host
        let port = url.port == (url.isTLS ? 443 : 80) ? "" : ":\(url.port)"
        return (url.isTLS ? "https://" : "http://") + host + port + url.target
    }
}

extension UpstreamInstances {
    /// How the caller would sign in; nil where that is not how this caller's credential is had.
    package func signIn(for caller: Caller) -> SignInDemand? {
        guard let key = credentials.key(for: caller), let address = definition.endpoint.address else { return nil }
        guard definition.credential.parts.indices.contains(key.choice),
            case .authorizationCode(let signIn) = definition.credential.parts[key.choice]
        else { return nil }
        return SignInDemand(upstream: name, address: address, definition: signIn)
    }
}
