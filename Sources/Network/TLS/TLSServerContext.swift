import COpenSSL

/// How others call us: a certificate and its key, and, if a client authority is given, client certificates verified by it.
package final class TLSServerContext: Sendable {
    package enum ClientCertificate: Sendable {
        /// Verified when shown; a caller without one is let in.
        case optional
        case required
    }

    nonisolated(unsafe) private let context: OpaquePointer

    /// PEM files; throws `.tls` with the file that is wrong.
    package init(
        certificate: String, key: String, clientAuthorities: String? = nil, clientCertificate: ClientCertificate = .optional
    ) throws(NetworkError) {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw NetworkError(.tls, TLSError.takeText()) }
        self.context = context
        tlsPrepare(context)
        try tlsLoad(context, certificate: certificate, key: key)
        if let clientAuthorities {
            guard SSL_CTX_load_verify_locations(context, clientAuthorities, nil) == 1 else {
                throw NetworkError(.tls, "no certificate authorities in \(clientAuthorities): \(TLSError.takeText())")
            }
            SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(clientAuthorities))
            // OpenSSL refuses to resume a verified session without a context of its own.
            SSL_CTX_set_session_id_context(context, [1], 1)
            let required = clientCertificate == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nil)
        }
        SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    }

    deinit { SSL_CTX_free(context) }

    func stream() throws(NetworkError) -> TLSStream {
        guard let ssl = SSL_new(context) else { throw NetworkError(.tls, TLSError.takeText()) }
        SSL_set_accept_state(ssl)
        return TLSStream(ssl: ssl, name: "the client")
    }
}

/// ALPN (RFC 7301): `http/1.1` if the client offers it, otherwise none.
private func selectProtocol(
    _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ chosenCount: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ offeredCount: UInt32, _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let chosen, let chosenCount else { return SSL_TLSEXT_ERR_NOACK }
    var place = 0
    while place < Int(offeredCount) {
        let count = Int(offered[place])
        guard place + 1 + count <= Int(offeredCount) else { return SSL_TLSEXT_ERR_NOACK }
        if UnsafeBufferPointer(start: offered + place + 1, count: count).elementsEqual("http/1.1".utf8) {
            chosen.pointee = offered + place + 1
            chosenCount.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        place += 1 + count
    }
    return SSL_TLSEXT_ERR_NOACK
}
