import Foundation
import Testing

@testable import Network

/// A certificate authority with certificates for a server and a client, in a temporary folder.
struct TestCertificates: Sendable {
    let folder: String

    init(on loop: EventLoop) async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("switchboard-" + UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        _ = try await run(
            "openssl", ["req", "-x509"] + key + ["-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"], in: folder, on: loop)
        for (name, subject, names) in [
            ("server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            ("client", "/CN=robot", "subjectAltName=URI:spiffe://test/robot"),
        ] {
            let signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names, "-addext", "basicConstraints=critical,CA:false"]
            _ = try await run(
                "openssl", ["req", "-x509"] + key + signer + ["-subj", subject, "-keyout", "\(name).key", "-out", "\(name).pem"], in: folder, on: loop
            )
        }
    }

    func path(_ name: String) -> String { folder + "/" + name }

    func server(requiring clientCertificate: TLSServerContext.ClientCertificate? = nil) throws -> TLSServerContext {
        try TLSServerContext(
            certificate: path("server.pem"), key: path("server.key"), clientAuthorities: clientCertificate == nil ? nil : path("ca.pem"),
            clientCertificate: clientCertificate ?? .optional)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }
}

@Suite(.serialized) struct TLSTests {
    @Test(arguments: ["localhost", "127.0.0.1"])
    func `bytes of any size go both ways under a verified name or address`(host: String) async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let listener = try serve(on: loop, tls: try certificates.server(), echo)
            defer { listener.stop() }
            let context = try TLSClientContext(authorities: certificates.path("ca.pem"))
            let connection = try await Connection.connect(host: host, port: listener.port, tls: context, within: .seconds(5), on: loop)
            #expect(connection.isSecure)
            for size in [1, 16_384, 16_385, 300_000] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                connection.write(bytes)
                #expect(try await read(size, from: connection) == bytes)
                // Session tickets that came meanwhile do not spoil it.
                #expect(connection.isStillUsable())
            }
            connection.closeAfterWriting()
        }
    }

    @Test func `the end of a TLS stream is an end, with what came before it`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let listener = try serve(on: loop, tls: try certificates.server()) { connection in
                _ = try await read(1, from: connection)
                connection.write(Array("bye".utf8))
                connection.closeAfterWriting()
            }
            defer { listener.stop() }
            let context = try TLSClientContext(authorities: certificates.path("ca.pem"))
            let connection = try await Connection.connect(host: "localhost", port: listener.port, tls: context, within: .seconds(5), on: loop)
            defer { connection.close() }
            connection.write([1])
            #expect(try await read(3, from: connection) == Array("bye".utf8))
            #expect(try await connection.fill(within: .seconds(5)) == false)
        }
    }

    @Test func `an unknown authority and a wrong name are refused with the host and the reason`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let listener = try serve(on: loop, tls: try certificates.server(), echo)
            defer { listener.stop() }
            func failure(authorities: String?, name: String) async throws -> String {
                let context = try TLSClientContext(authorities: authorities)
                do {
                    let connection = try await Connection.connect(
                        to: [listener.address], tls: context, serverName: name, within: .seconds(5), on: loop)
                    connection.close()
                    return "connected"
                } catch {
                    #expect(error.kind == .tls)
                    return error.text
                }
            }
            let unknown = try await failure(authorities: nil, name: "localhost")
            #expect(unknown.hasSuffix("the certificate of localhost is not accepted: unable to get local issuer certificate"), "\(unknown)")
            let wrong = try await failure(authorities: certificates.path("ca.pem"), name: "other.example")
            #expect(wrong.hasSuffix("the certificate of other.example is not accepted: hostname mismatch"), "\(wrong)")
            let address = try await failure(authorities: certificates.path("ca.pem"), name: "10.1.2.3")
            #expect(address.hasSuffix("the certificate of 10.1.2.3 is not accepted: IP address mismatch"), "\(address)")
        }
    }

    @Test func `a client certificate is verified and tells its names`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let shown = Mailbox<PeerCertificate?>(capacity: 2)
            let listener = try serve(on: loop, tls: try certificates.server(requiring: .optional)) { connection in
                _ = try await read(1, from: connection)
                shown.send(connection.peerCertificate)
                connection.closeAfterWriting()
            }
            defer { listener.stop() }
            let authority = certificates.path("ca.pem")
            let named = try TLSClientContext(
                authorities: authority, certificate: certificates.path("client.pem"), key: certificates.path("client.key"))
            for context in [named, try TLSClientContext(authorities: authority)] {
                let connection = try await Connection.connect(host: "localhost", port: listener.port, tls: context, within: .seconds(5), on: loop)
                connection.write([1])
                let certificate = await shown.next() ?? nil
                #expect(certificate?.uriNames == (context === named ? ["spiffe://test/robot"] : nil))
                #expect(certificate?.commonName == (context === named ? "robot" : nil))
                #expect(certificate?.fingerprint.count == (context === named ? 64 : nil))
                #expect(certificate.map { (86_400...3 * 86_400).contains($0.expires - time(nil)) } == (context === named ? true : nil))
                connection.close()
            }
        }
    }

    @Test func `a client without the required certificate is turned away`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let listener = try serve(on: loop, tls: try certificates.server(requiring: .required), echo)
            defer { listener.stop() }
            let context = try TLSClientContext(authorities: certificates.path("ca.pem"))
            // In TLS 1.3 the client is done before the server has judged.
            await expect(kind: .tls) {
                let connection = try await Connection.connect(host: "localhost", port: listener.port, tls: context, within: .seconds(5), on: loop)
                defer { connection.close() }
                _ = try await connection.fill(within: .seconds(5))
            }
        }
    }

    @Test func `a peer that does not speak TLS fails the handshake, and one that is silent times out`() async throws {
        try await onLoop { loop in
            let talker = try serve(on: loop) { connection in
                connection.write(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
                connection.closeAfterWriting()
            }
            let mute = try serve(on: loop) { _ in }
            defer {
                talker.stop()
                mute.stop()
            }
            let context = try TLSClientContext()
            await expect(kind: .tls) {
                _ = try await Connection.connect(to: [talker.address], tls: context, serverName: "localhost", within: .seconds(5), on: loop)
            }
            await expect(kind: .timedOut) {
                _ = try await Connection.connect(to: [mute.address], tls: context, serverName: "localhost", within: .milliseconds(20), on: loop)
            }
        }
    }

    @Test func `another certificate is for connections that come from then on; a wrong one changes nothing`() async throws {
        try await onLoop { loop in
            let (old, new) = (try await TestCertificates(on: loop), try await TestCertificates(on: loop))
            defer {
                old.remove()
                new.remove()
            }
            let server = try old.server()
            let listener = try serve(on: loop, tls: server, echo)
            defer { listener.stop() }
            func connect(_ certificates: TestCertificates) async throws -> Connection {
                let context = try TLSClientContext(authorities: certificates.path("ca.pem"))
                return try await Connection.connect(host: "localhost", port: listener.port, tls: context, within: .seconds(5), on: loop)
            }
            let first = try await connect(old)
            #expect(throws: NetworkError.self) { try server.replace(certificate: new.path("server.pem"), key: old.path("server.key")) }
            #expect(throws: NetworkError.self) {
                try server.replace(certificate: new.path("server.pem"), key: new.path("server.key"), clientAuthorities: new.path("server.key"))
            }
            try await connect(old).close()
            try server.replace(certificate: new.path("server.pem"), key: new.path("server.key"))
            try await connect(new).close()
            await expect(kind: .tls) { try await connect(old).close() }
            first.write([1])
            #expect(try await read(1, from: first) == [1])
            first.close()
        }
    }

    @Test func `files are checked before they are used`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            let soon = 86_400...3 * 86_400
            #expect(soon.contains(try TLSFile.expiry(ofCertificate: certificates.path("server.pem")) - time(nil)))
            #expect(soon.contains(try TLSFile.expiry(ofAuthorities: certificates.path("ca.pem")) - time(nil)))
            #expect(try TLSFile.isKey(certificates.path("server.key"), for: certificates.path("server.pem")))
            #expect(try !TLSFile.isKey(certificates.path("client.key"), for: certificates.path("server.pem")))
            #expect(throws: NetworkError.self) { try TLSFile.expiry(ofCertificate: certificates.path("server.key")) }
            #expect(throws: NetworkError.self) { try TLSFile.expiry(ofAuthorities: certificates.path("server.key")) }
            #expect(throws: NetworkError.self) { try TLSFile.isKey(certificates.path("server.pem"), for: certificates.path("server.pem")) }
        }
    }

    @Test func `a key with a passphrase is refused, without asking for it`() async throws {
        try await onLoop { loop in
            let certificates = try await TestCertificates(on: loop)
            defer { certificates.remove() }
            _ = try await run(
                "openssl", ["pkey", "-in", "server.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key"], in: certificates.folder,
                on: loop)
            #expect(throws: NetworkError.self) { try TLSFile.isKey(certificates.path("locked.key"), for: certificates.path("server.pem")) }
            #expect(throws: NetworkError.self) {
                try TLSServerContext(certificate: certificates.path("server.pem"), key: certificates.path("locked.key"))
            }
        }
    }

    @Test func `a wrong file is named`() {
        #expect {
            _ = try TLSServerContext(certificate: "/no/such.pem", key: "/no/such.key")
        } throws: { error in
            "\(error)".hasPrefix("no certificate in /no/such.pem: ")
        }
    }
}
