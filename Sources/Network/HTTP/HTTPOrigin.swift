/// Whom a request is sent to: scheme, host and port.
package struct HTTPOrigin: Sendable, Hashable, CustomStringConvertible {
    /// Whether the scheme is `https`.
    package let isTLS: Bool
    /// A name or an address literal, without brackets, in lower case.
    package let host: String
    /// The port.
    package let port: UInt16

    /// Makes an origin; the port is 443 or 80 unless given.
    package init(isTLS: Bool, host: String, port: UInt16? = nil) {
        self.isTLS = isTLS
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        self.host = (isBracketed ? String(host.dropFirst().dropLast()) : host).lowercased()
        self.port = port ?? (isTLS ? 443 : 80)
    }

    /// Host and port as `Host` wants them: the port only when it is not the scheme's own.
    package var authority: String { port == (isTLS ? 443 : 80) ? bracketedHost : authorityWithPort }

    /// Host and port as CONNECT wants them.
    package var authorityWithPort: String { "\(bracketedHost):\(port)" }

    /// `https://host:port`.
    package var description: String { (isTLS ? "https://" : "http://") + authority }

    private var bracketedHost: String { host.utf8.contains(ASCII.colon) ? "[\(host)]" : host }
}
