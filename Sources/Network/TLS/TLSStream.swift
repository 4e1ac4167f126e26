import COpenSSL

/// One side of a TLS connection, between bytes in memory: records go in and out, sockets are the caller's.
///
/// OpenSSL reads through a BIO of our own straight from the caller's bytes, so an idle stream buffers nothing.
final class TLSStream {
    enum Outcome {
        case bytes
        case progress
        case end
        case failed(String)
    }

    private let ssl: OpaquePointer
    private let name: String
    /// The records being received, during `receive` only.
    fileprivate var incoming = UnsafeRawBufferPointer(start: nil, count: 0)
    fileprivate var outgoing: [UInt8] = []
    /// The other side has said that no more data follows.
    private(set) var hasEnded = false

    /// Takes over the session object.
    init(ssl: OpaquePointer, name: String) {
        self.ssl = ssl
        self.name = name
        let bio = BIO_new(streamMethod)
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        SSL_set_bio(ssl, bio, bio)
    }

    deinit { SSL_free(ssl) }

    var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }
    var hasOutgoing: Bool { !outgoing.isEmpty }

    /// Records that must be sent, in order.
    func takeOutgoing() -> [UInt8] {
        let taken = outgoing
        outgoing = []
        return taken
    }

    /// Begins the handshake of a client.
    func start() {
        ERR_clear_error()
        SSL_do_handshake(ssl)
    }

    /// Feeds records, all of them, and appends what they hold.
    func receive(_ records: UnsafeRawBufferPointer, into input: inout ByteBuffer) -> Outcome {
        incoming = records
        defer { incoming = UnsafeRawBufferPointer(start: nil, count: 0) }
        ERR_clear_error()
        var outcome = Outcome.progress
        return withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 16) { plain in
            while true {
                let count = SSL_read(ssl, plain.baseAddress, Int32(plain.count))
                if count > 0 {
                    input.append(UnsafeRawBufferPointer(rebasing: plain[0..<Int(count)]))
                    outcome = .bytes
                    continue
                }
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return outcome
                case SSL_ERROR_ZERO_RETURN:
                    hasEnded = true
                    if case .bytes = outcome { return outcome }
                    return .end
                default: return .failed(failure())
                }
            }
        }
    }

    /// Turns data into outgoing records; false when the session has failed or not begun.
    func encrypt(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        ERR_clear_error()
        return bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress, Int32(clamping: $0.count)) == Int32(clamping: $0.count) }
    }

    /// Says that no more data follows.
    func endStream() {
        guard isEstablished else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    /// The certificate that the other side has shown and that was verified.
    var peerCertificate: PeerCertificate? {
        guard SSL_get_verify_result(ssl) == Int(X509_V_OK), let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        return PeerCertificate(certificate)
    }

    private func failure() -> String {
        let verdict = SSL_get_verify_result(ssl)
        guard verdict != Int(X509_V_OK) else { return "TLS with \(name) failed: \(TLSError.takeText())" }
        ERR_clear_error()
        return "the certificate of \(name) is not accepted: \(String(cString: X509_verify_cert_error_string(verdict)))"
    }
}

/// The BIO of every stream; made once and kept.
nonisolated(unsafe) private let streamMethod: OpaquePointer? = {
    let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream")
    BIO_meth_set_read(method) { bio, bytes, count in
        BIO_clear_flags(bio, retryFlags)
        guard let stream = tlsStream(of: bio), let bytes, count > 0 else { return -1 }
        let taken = min(Int(count), stream.incoming.count)
        guard taken > 0, let base = stream.incoming.baseAddress else {
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        UnsafeMutableRawPointer(bytes).copyMemory(from: base, byteCount: taken)
        stream.incoming = UnsafeRawBufferPointer(rebasing: stream.incoming[taken...])
        return Int32(taken)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
        BIO_clear_flags(bio, retryFlags)
        guard let stream = tlsStream(of: bio), let bytes, count > 0 else { return -1 }
        stream.outgoing.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
}()

private func tlsStream(of bio: OpaquePointer?) -> TLSStream? {
    BIO_get_data(bio).map { Unmanaged<TLSStream>.fromOpaque($0).takeUnretainedValue() }
}

private let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY
