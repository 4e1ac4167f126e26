extension Caller {
    /// `client:` the certificate's first URI name, else its common name.
    convenience init(_ certificate: PresentedCertificate) throws(IdentityRefusal) {
        guard let name = certificate.uriNames.first ?? certificate.commonName, CallerName.isFit(name) else {
            throw .invalid("a client certificate without a URI name or a common name")
        }
        self.init(.certificate(fingerprint: certificate.fingerprint, expires: certificate.expires), client: name)
    }
}
