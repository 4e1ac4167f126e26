import COpenSSL

/// How we call others: TLS 1.2 or later, ALPN `http/1.1`, their certificate verified by the system's trust store
/// (or `SSL_CERT_FILE` and `SSL_CERT_DIR`) and for the name that we called.
package final class TLSClientContext: Sendable {
    nonisolated(unsafe) private let context: OpaquePointer

    /// `authorities`: a PEM file with further certificate authorities. `certificate` and `key`: PEM files to show when the server asks.
    package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) throws(NetworkError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw NetworkError(.tls, TLSError.takeText()) }
        self.context = context
        tlsPrepare(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        guard SSL_CTX_set_default_verify_paths(context) == 1 else { throw NetworkError(.tls, "no system trust store: \(TLSError.takeText())") }
        ERR_clear_error()
        if let authorities, SSL_CTX_load_verify_locations(context, authorities, nil) != 1 {
            throw NetworkError(.tls, "no certificate authorities in \(authorities): \(TLSError.takeText())")
        }
        if let certificate { try tlsLoad(context, certificate: certificate, key: key ?? certificate) }
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count))
    }

    deinit { SSL_CTX_free(context) }

    /// A stream that accepts only a certificate for this DNS name or address.
    func stream(serverName: String) throws(NetworkError) -> TLSStream {
        guard let ssl = SSL_new(context) else { throw NetworkError(.tls, TLSError.takeText()) }
        let host = serverName.hasPrefix("[") ? String(serverName.dropFirst().dropLast()) : serverName
        let accepted: Int32
        if SocketAddress(literal: host, port: 0) != nil {
            accepted = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
        } else {
            // RFC 6066 §3: a DNS name without its last dot, never an address.
            let name = host.hasSuffix(".") ? String(host.dropLast()) : host
            SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            let set = name.withCString {
                SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutablePointer(mutating: $0))
            }
            accepted = set == 1 ? SSL_set1_host(ssl, name) : 0
        }
        guard accepted == 1 else {
            SSL_free(ssl)
            throw NetworkError(.tls, "“\(serverName)” is not a name that a certificate can be for")
        }
        SSL_set_connect_state(ssl)
        return TLSStream(ssl: ssl, name: serverName)
    }
}
