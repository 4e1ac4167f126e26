import JSON

extension SignInDiscovery {
    /// The authorization servers that the upstream names at present; empty where it names none, or can't be trusted.
    func issuers() async -> [String] {
        guard let upstream = HTTPAddress(address) else { return [] }
        return (try? await protectedResource(of: upstream))?.servers ?? []
    }

    /// Whose token endpoint that is: a server's that the upstream names, or the one at the endpoint's own host. Nil where neither says so in its
    /// metadata (RFC 8414 §2).
    func issuer(ofTokenEndpoint endpoint: String) async -> String? {
        guard let origin = HTTPAddress(endpoint)?.origin else { return nil }
        let named = await issuers()
        for issuer in named.prefix(2) + [origin, origin + "/"] {
            guard let address = HTTPAddress(issuer), address.isSafe, address.query == nil else { continue }
            let source = address.origin == origin ? FetchRequest.Source.configured : .discovered
            for place in IssuerMetadata.addresses(of: issuer) {
                guard let body = try? await document(place, source), let metadata = try? JSONValue(parsing: body, depthMax: 32) else { continue }
                if metadata["issuer"]?.string == issuer, metadata["token_endpoint"]?.string == endpoint { return issuer }
            }
        }
        return nil
    }
}
