/// What a client showed of itself with a request, nothing of it proven yet.
package struct Presented: Sendable {
    /// The value of `Authorization`.
    package var authorization: String?
    /// The value of `X-API-Key`.
    package var apiKey: String?
    /// The client's certificate, verified by TLS against `tls.client_ca`.
    package var certificate: PresentedCertificate?
    /// The address by which the client reaches what it wants, such as `https://mcp.example.com/team/mcp`; nil where there is none.
    package var resource: String?

    package init(authorization: String? = nil, apiKey: String? = nil, certificate: PresentedCertificate? = nil, resource: String? = nil) {
        self.authorization = authorization
        self.apiKey = apiKey
        self.certificate = certificate
        self.resource = resource
    }
}

/// The names in a client certificate that TLS has verified.
package struct PresentedCertificate: Hashable, Sendable {
    /// The URI names of its subject, in order.
    package var uriNames: [String]
    package var commonName: String?
    /// The SHA-256 of its DER form, in hex.
    package var fingerprint: String
    /// Until when it is good, in seconds since 1970.
    package var expires: Int

    package init(uriNames: [String], commonName: String?, fingerprint: String, expires: Int) {
        self.expires = expires
        self.uriNames = uriNames
        self.commonName = commonName
        self.fingerprint = fingerprint
    }
}
