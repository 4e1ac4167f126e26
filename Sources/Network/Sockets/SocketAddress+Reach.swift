extension SocketAddress {
    /// Whether it leads to the internet at large: not to this machine, a private network, a neighbour on the link, several receivers, or nowhere
    /// (IANA's special-purpose address registries). IPv4 inside IPv6 is judged as IPv4.
    package var isPublic: Bool {
        switch octets.count {
        case 4: Self.isPublicV4(octets)
        case 16: isPublicV6
        default: false
        }
    }

    private static func isPublicV4(_ address: some Collection<UInt8>) -> Bool {
        let address = Array(address)
        return switch (address[0], address[1], address[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224..., _, _): false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (198, 18...19, _): false
        case (192, 0, 0), (192, 0, 2), (192, 88, 99), (198, 51, 100), (203, 0, 113): false
        default: true
        }
    }

    private var isPublicV6: Bool {
        if let mapped = mappedV4 { return Self.isPublicV4(mapped) }
        // NAT64 (RFC 6052 §2.1): the last four bytes are where it really leads.
        if octets.starts(with: [0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return Self.isPublicV4(octets[12...]) }
        // Global unicast, without 2001::/23 (Teredo and other protocols), 2001:db8::/32, 2002::/16 (6to4) and 3fff::/20.
        guard octets[0] & 0xE0 == 0x20 else { return false }
        if octets[0] == 0x20, octets[1] == 0x01 { return octets[2] > 1 && !(octets[2] == 0x0D && octets[3] == 0xB8) }
        if octets[0] == 0x20, octets[1] == 0x02 { return false }
        return !(octets[0] == 0x3F && octets[1] == 0xFF && octets[2] < 0x10)
    }
}
