#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// The bytes of the address: 4 or 16, or none for an unknown family.
    package private(set) var octets: [UInt8] = []
    package private(set) var port: UInt16 = 0
    /// The interface of an IPv6 link-local address.
    private var scope: UInt32 = 0

    init() {}

    package init(octets: [UInt8], port: UInt16, scope: UInt32 = 0) {
        self.octets = octets
        self.port = port
        self.scope = scope
    }

    /// An address literal, IPv6 with or without brackets; nil for anything else, such as a name.
    package init?(literal: String, port: UInt16) {
        var text = literal
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(octets: withUnsafeBytes(of: &v4) { Array($0) }, port: port)
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(octets: withUnsafeBytes(of: &v6) { Array($0) }, port: port)
        } else {
            return nil
        }
    }

    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        if address.pointee.sa_family == AF_INET, Int(length) >= MemoryLayout<sockaddr_in>.size {
            let v4 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            octets = withUnsafeBytes(of: v4.sin_addr) { Array($0) }
            port = UInt16(bigEndian: v4.sin_port)
        } else if address.pointee.sa_family == AF_INET6, Int(length) >= MemoryLayout<sockaddr_in6>.size {
            let v6 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            octets = withUnsafeBytes(of: v6.sin6_addr) { Array($0) }
            port = UInt16(bigEndian: v6.sin6_port)
            scope = v6.sin6_scope_id
        } else {
            return nil
        }
    }

    /// The same address with another port.
    package func with(port: UInt16) -> SocketAddress { SocketAddress(octets: octets, port: port, scope: scope) }

    var family: Int32 { octets.count == 16 ? AF_INET6 : AF_INET }

    package var isLoopback: Bool {
        octets.count == 4 ? octets[0] == 127 : octets == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] || (mappedV4?[0] == 127)
    }

    /// The IPv4 address inside `::ffff:a.b.c.d`.
    package var mappedV4: [UInt8]? {
        guard octets.count == 16, octets[0..<10].allSatisfy({ $0 == 0 }), octets[10] == 255, octets[11] == 255 else { return nil }
        return Array(octets[12...])
    }

    /// The address without its port.
    package var host: String {
        var text = [CChar](repeating: 0, count: 64)
        let known = octets.withUnsafeBytes { inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) }
        guard !octets.isEmpty, known != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var description: String { octets.count == 16 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        if octets.count == 16 {
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            v6.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &v6.sin6_addr) { $0.copyBytes(from: octets) }
            return withUnsafePointer(to: &v6) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &v4.sin_addr) { $0.copyBytes(from: octets.prefix(4)) }
        return withUnsafePointer(to: &v4) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    /// Lets a system call fill in an address.
    static func filled<Result>(_ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Result) -> (Result, SocketAddress) {
        var whole = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &whole) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let result = body(pointer, &length)
                return (result, SocketAddress(pointer, length: length) ?? SocketAddress())
            }
        }
    }

    /// The address that a socket is bound to.
    static func local(of descriptor: Int32) -> SocketAddress { filled { getsockname(descriptor, $0, &$1) }.1 }
}

/// Who is at the other end.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    package let address: SocketAddress

    package init(_ address: SocketAddress) { self.address = address }

    package var isLoopback: Bool { address.isLoopback }
    package var port: UInt16 { address.port }
    /// The address without its port.
    package var host: String { address.host }
    package var description: String { address.description }
}
