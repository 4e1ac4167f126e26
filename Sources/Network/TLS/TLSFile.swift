import COpenSSL

/// What PEM files for TLS hold, for checking them before they are used. Everything blocks and throws `.tls`, with a reason that names no file.
package enum TLSFile {
    /// Until when the certificate at the head of a chain is good, in seconds since 1970.
    package static func expiry(ofCertificate path: String) throws(NetworkError) -> Int {
        let context = try context()
        defer { SSL_CTX_free(context) }
        guard SSL_CTX_use_certificate_chain_file(context, path) == 1, let certificate = SSL_CTX_get0_certificate(context) else {
            throw NetworkError(.tls, TLSError.takeText())
        }
        guard let seconds = tlsSeconds(X509_get0_notAfter(certificate)) else { throw NetworkError(.tls, "its dates can't be read") }
        return seconds
    }

    /// Whether the key belongs to the certificate; throws where there is no key that can be read.
    package static func isKey(_ key: String, for certificate: String) throws(NetworkError) -> Bool {
        let context = try context()
        defer { SSL_CTX_free(context) }
        // OpenSSL would ask for a passphrase at the terminal, and wait.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else { throw NetworkError(.tls, TLSError.takeText()) }
        // Loading the certificate drops a key that is not its own.
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else { throw NetworkError(.tls, TLSError.takeText()) }
        defer { ERR_clear_error() }
        return SSL_CTX_check_private_key(context) == 1
    }

    /// Until when the last of the certificate authorities in a file is good, in seconds since 1970.
    package static func expiry(ofAuthorities path: String) throws(NetworkError) -> Int {
        ERR_clear_error()
        guard let bio = BIO_new_file(path, "r") else { throw NetworkError(.tls, TLSError.takeText()) }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        var last: Int?
        while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
            if let date = tlsSeconds(X509_get0_notAfter(certificate)) { last = max(last ?? date, date) }
            X509_free(certificate)
        }
        guard let last else { throw NetworkError(.tls, "it holds no certificate") }
        return last
    }

    private static func context() throws(NetworkError) -> OpaquePointer {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw NetworkError(.tls, TLSError.takeText()) }
        return context
    }
}
