#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A forward proxy: requests to `http` origins are handed to it, `https` ones are tunnelled through it.
package struct HTTPProxy: Sendable, Hashable {
    /// Its name or address.
    package let host: String
    /// Its port.
    package let port: UInt16
    /// The value of Proxy-Authorization, a secret; nil when it wants none.
    let authorization: String?

    /// Takes `http://user:password@host:port` apart; the scheme may be missing, the port is 80 unless given.
    ///
    /// Throws `.connect` for any other scheme, or something that is no address.
    package init(_ url: String) throws(NetworkError) {
        var rest = Substring(url)
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "http" else {
                throw NetworkError(.connect, "only proxies that are spoken to in plain http:// are supported")
            }
            rest = rest[scheme.upperBound...]
        }
        rest = rest.prefix { $0 != "/" && $0 != "?" }
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let pair = Self.decoded(parts[0]) + [ASCII.colon] + (parts.count > 1 ? Self.decoded(parts[1]) : [])
            authorization = "Basic " + Data(pair).base64EncodedString()
            rest = rest[rest.index(after: at)...]
        } else {
            authorization = nil
        }
        let (host, port) = Self.split(rest)
        guard !host.isEmpty, let port = UInt16(port ?? "80") else { throw NetworkError(.connect, "the proxy's address is malformed") }
        self.host = host
        self.port = port
    }

    /// The proxy that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name for an origin (lower case wins), or nil; loopback is never proxied.
    ///
    /// An entry of `NO_PROXY` is `*`, a name (with its subdomains), an address or a network (`10.0.0.0/8`); names and addresses may have a port.
    package static func fromEnvironment(
        for origin: HTTPOrigin, _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(NetworkError) -> HTTPProxy? {
        func value(_ name: String) -> String? {
            let value = environment[name.lowercased()] ?? environment[name]
            return value.flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let url = value(origin.isTLS ? "HTTPS_PROXY" : "HTTP_PROXY"), !isLoopback(origin.host) else { return nil }
        for entry in (value("NO_PROXY") ?? "").split(whereSeparator: { $0 == "," || $0.isWhitespace }) where matches(entry, origin) { return nil }
        return try HTTPProxy(url)
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || SocketAddress(literal: host, port: 0)?.isLoopback == true
    }

    private static func matches(_ entry: Substring, _ origin: HTTPOrigin) -> Bool {
        if entry == "*" { return true }
        if let slash = entry.firstIndex(of: "/") {
            return contains(String(entry[..<slash]), bits: Int(entry[entry.index(after: slash)...]), origin.host)
        }
        let (host, port) = split(entry)
        if let port, port != String(origin.port) { return false }
        if let listed = SocketAddress(literal: host, port: 0) { return listed.octets == SocketAddress(literal: origin.host, port: 0)?.octets }
        let name = host.lowercased().drop { $0 == "*" || $0 == "." }
        return !name.isEmpty && (origin.host == name || origin.host.hasSuffix("." + name))
    }

    private static func contains(_ network: String, bits: Int?, _ host: String) -> Bool {
        guard let bits, let network = SocketAddress(literal: network, port: 0)?.octets, let address = SocketAddress(literal: host, port: 0)?.octets,
            network.count == address.count, (0...network.count * 8).contains(bits)
        else { return false }
        return (0..<bits).allSatisfy { (network[$0 / 8] ^ address[$0 / 8]) & (0x80 >> UInt8($0 % 8)) == 0 }
    }

    /// Undoes percent-encoding; what isn't well-formed stays.
    private static func decoded(_ text: Substring) -> [UInt8] {
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == ASCII.percent, rest.count >= 2, let high = ASCII.hexValue(rest[rest.startIndex]),
                let low = ASCII.hexValue(rest[rest.startIndex + 1])
            {
                bytes.append(UInt8(high << 4 | low))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Parts `host:port`, `[v6]:port`, `v6` and `host`.
    private static func split(_ text: Substring) -> (host: String, port: String?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let after = text[text.index(after: end)...]
            return (String(text[text.index(after: text.startIndex)..<end]), after.hasPrefix(":") ? String(after.dropFirst()) : nil)
        }
        guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return (String(text), nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}

extension HTTPProxy: CustomStringConvertible, CustomReflectable {
    /// Host and port; never the credentials.
    package var description: String { "\(host):\(port)" }
    /// Host and port; never the credentials, not even for `dump`.
    package var customMirror: Mirror { Mirror(self, children: ["host": host, "port": port]) }
}
