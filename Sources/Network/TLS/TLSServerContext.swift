import COpenSSL
import Synchronization

/// How others call us: a certificate and its key, and, if a client authority is given, client certificates verified by it.
///
/// `replace` changes all of it for the connections that come from then on; open ones keep what they began with.
package final class TLSServerContext: Sendable {
    package enum ClientCertificate: Sendable {
        /// Verified when shown; a caller without one is let in.
        case optional
        case required
    }

    private let loaded: Mutex<LoadedTLSFiles>

    /// PEM files; throws `.tls` with the file that is wrong. Blocks.
    package init(
        certificate: String, key: String, clientAuthorities: String? = nil, clientCertificate: ClientCertificate = .optional
    ) throws(NetworkError) {
        let files = try LoadedTLSFiles(
            certificate: certificate, key: key, clientAuthorities: clientAuthorities, clientCertificate: clientCertificate)
        loaded = Mutex(files)
    }

    /// Takes other files, or what the same ones hold now; when it throws, nothing has changed. Blocks.
    ///
    /// Tickets of earlier sessions are not taken any more, so that a client whose authority has gone can't resume.
    package func replace(
        certificate: String, key: String, clientAuthorities: String? = nil, clientCertificate: ClientCertificate = .optional
    ) throws(NetworkError) {
        let files = try LoadedTLSFiles(
            certificate: certificate, key: key, clientAuthorities: clientAuthorities, clientCertificate: clientCertificate)
        loaded.withLock { $0 = files }
    }

    func stream() throws(NetworkError) -> TLSStream {
        // A session holds on to the context that it was made of.
        guard let ssl = SSL_new(loaded.withLock({ $0 }).context) else { throw NetworkError(.tls, TLSError.takeText()) }
        SSL_set_accept_state(ssl)
        return TLSStream(ssl: ssl, name: "the client")
    }
}

/// One set of files, read.
private final class LoadedTLSFiles: Sendable {
    nonisolated(unsafe) let context: OpaquePointer

    init(
        certificate: String, key: String, clientAuthorities: String?, clientCertificate: TLSServerContext.ClientCertificate
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
