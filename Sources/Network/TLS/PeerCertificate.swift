import COpenSSL

/// What we want to know of a verified certificate: its URI names in order, its common name, and which one it is.
package struct PeerCertificate: Sendable, Hashable {
    package let uriNames: [String]
    package let commonName: String?
    /// The SHA-256 of its DER form, in hex.
    package let fingerprint: String
    /// Until when it is good, in seconds since 1970.
    package let expires: Int

    init(_ certificate: OpaquePointer) {
        uriNames = Self.uriNames(of: certificate)
        commonName = Self.commonName(of: certificate)
        fingerprint = Self.fingerprint(of: certificate)
        expires = tlsSeconds(X509_get0_notAfter(certificate)) ?? 0
    }

    private static func fingerprint(of certificate: OpaquePointer) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func uriNames(of certificate: OpaquePointer) -> [String] {
        guard let list = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let names = OpaquePointer(list)
        defer { GENERAL_NAMES_free(names) }
        return (0..<OPENSSL_sk_num(names)).compactMap { index in
            guard let value = OPENSSL_sk_value(names, index) else { return nil }
            let name = value.assumingMemoryBound(to: GENERAL_NAME.self)
            guard name.pointee.type == GEN_URI else { return nil }
            return text(of: name.pointee.d.uniformResourceIdentifier)
        }
    }

    private static func commonName(of certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index) else { return nil }
        return text(of: X509_NAME_ENTRY_get_data(entry))
    }

    /// Nil for a name with a NUL or a control character in it: `good.example\0.evil.example` must not read as the first half.
    private static func text(of string: UnsafePointer<ASN1_STRING>?) -> String? {
        guard let string else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, string)
        guard count > 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, nil, 0) }
        let text = UnsafeBufferPointer(start: bytes, count: Int(count))
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: text, as: UTF8.self)
    }
}
