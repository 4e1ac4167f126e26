import Diagnostics

/// A host and port to listen on.
package struct ListenAddress: Hashable, Sendable {
    /// `localhost` or an address, IPv6 without brackets.
    package var host: String
    /// 0 for one that the system picks.
    package var port: Int
    package var position: SourcePosition

    /// Reads `HOST:PORT` or `[IPv6]:PORT`. Whether it may be listened on is for `Settings.refusal` to say.
    package init(parsing text: String, at position: SourcePosition) throws(ConfigurationError) {
        let wrong = ConfigurationError("\(quoted(text)) is no HOST:PORT", at: position, fix: "write 127.0.0.1:8080")
        guard let colon = text.lastIndex(of: ":"), let port = decimal(text[text.index(after: colon)...], max: 65_535) else { throw wrong }
        let written = String(text[..<colon])
        let isBracketed = written.hasPrefix("[") && written.hasSuffix("]") && written.count > 2
        let name = isBracketed ? String(written.dropFirst().dropLast()) : written
        let isAddress = IPAddress.canonicalV6(name) != nil
        guard isBracketed == isAddress, isBracketed || WebAddress.isHostName(name) else { throw wrong }
        let host = IPAddress.canonicalV6(name) ?? name.lowercased()
        self.init(host: host, port: port, position: position)
    }

    package init(host: String, port: Int, position: SourcePosition) {
        self.host = host
        self.port = port
        self.position = position
    }

    /// Whether only this machine reaches it, for sure.
    package var isLoopback: Bool { IPAddress.isLoopback(host) }

    /// Whether it stands for every address of the machine.
    package var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// `HOST:PORT`, IPv6 in brackets.
    package var authority: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A number of one to five decimal digits, at most `max`.
func decimal(_ text: Substring, max: Int) -> Int? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let number = Int(text), number <= max
    else { return nil }
    return number
}
