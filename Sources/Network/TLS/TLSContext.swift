import COpenSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What clients and servers have in common: TLS 1.2 or later, no renegotiation, no compression, no buffers while idle.
func tlsPrepare(_ context: OpaquePointer) {
    SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
    SSL_CTX_ctrl(context, SSL_CTRL_MODE, 0x10, nil)  // SSL_MODE_RELEASE_BUFFERS
    SSL_CTX_set_options(context, (1 << 30) | (1 << 17))  // SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_COMPRESSION
}

/// Loads a certificate chain and its key from PEM files.
func tlsLoad(_ context: OpaquePointer, certificate: String, key: String) throws(NetworkError) {
    // OpenSSL would ask for a passphrase at the terminal, and wait.
    SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
    ERR_clear_error()
    guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
        throw NetworkError(.tls, "no certificate in \(certificate): \(TLSError.takeText())")
    }
    guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(context) == 1 else {
        throw NetworkError(.tls, "no key for the certificate \(certificate) in \(key): \(TLSError.takeText())")
    }
}

/// Seconds since 1970; nil for a time that can't be read.
func tlsSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int? {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return timegm(&parts)
}
