/// What a client showed of itself with a request, nothing of it proven yet.
package struct Presented: Sendable {
    /// The value of `Authorization`.
    package var authorization: String?
    /// The value of `X-API-Key`.
    package var apiKey: String?
    /// The client's certificate, verified by TLS against `tls.client_ca`.
    package var certificate: PresentedCertificate?

    package init(authorization: String? = nil, apiKey: String? = nil, certificate: PresentedCertificate? = nil) {
        self.authorization = authorization
        self.apiKey = apiKey
        self.certificate = certificate
    }
}

/// The names in a client certificate that TLS has verified.
package struct PresentedCertificate: Hashable, Sendable {
    /// The URI names of its subject, in order.
    package var uriNames: [String]
    package var commonName: String?
    /// The SHA-256 of its DER form, in hex.
    package var fingerprint: String

    package init(uriNames: [String], commonName: String?, fingerprint: String) {
        self.uriNames = uriNames
        self.commonName = commonName
        self.fingerprint = fingerprint
    }
}
