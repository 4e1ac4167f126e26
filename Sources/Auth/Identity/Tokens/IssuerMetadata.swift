import JSON

/// Where an issuer publishes what it says of itself (RFC 8414 §3.1, OpenID Connect Discovery 1.0 §4).
enum IssuerMetadata {
    /// The addresses to try, in order.
    static func addresses(of issuer: String) -> [String] {
        guard let mark = issuer.firstRange(of: "://") else { return [] }
        let pathStart = issuer[mark.upperBound...].firstIndex(of: "/") ?? issuer.endIndex
        let origin = issuer[..<pathStart]
        var path = issuer[pathStart...]
        if path.hasSuffix("/") { path.removeLast() }
        var addresses = ["\(origin)/.well-known/oauth-authorization-server\(path)", "\(origin)\(path)/.well-known/openid-configuration"]
        if !path.isEmpty { addresses.append("\(origin)/.well-known/openid-configuration\(path)") }
        return addresses
    }

    /// `jwks_uri`; throws where the document is another issuer's (mix-up), or names none.
    static func keySetAddress(in body: [UInt8], of issuer: String) throws(FetchFailure) -> String {
        guard let metadata = try? JSONValue(parsing: body, depthMax: 32), metadata.members != nil else {
            throw FetchFailure("its metadata is no JSON object")
        }
        guard let name = metadata["issuer"]?.string, isSame(name, issuer) else { throw FetchFailure("its metadata is of another issuer") }
        guard let address = metadata["jwks_uri"]?.string else { throw FetchFailure("its metadata has no `jwks_uri`") }
        return address
    }
}
