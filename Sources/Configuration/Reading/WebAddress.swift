import Diagnostics

/// An absolute URL taken apart (RFC 3986 §3), strict: what a parser further on could read differently is refused.
package struct WebAddress: Hashable, Sendable {
    /// In lower case.
    package var scheme: String
    package var userInformation: String?
    /// In lower case, IPv6 without brackets and in its shortest form.
    package var host: String
    package var port: Int?
    /// Empty, or starting with `/`.
    package var path: String
    package var query: String?
    package var fragment: String?

    /// Nil for what is no such URL.
    package init?(_ text: String) {
        guard text.utf8.count <= 2_048, let mark = text.firstRange(of: "://") else { return nil }
        scheme = text[..<mark.lowerBound].lowercased()
        guard Self.isScheme(scheme) else { return nil }
        var rest = text[mark.upperBound...]
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let question = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: question)...])
            rest = rest[..<question]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = String(rest[slash...])
        var authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") {
            userInformation = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        guard let (host, port) = Self.hostAndPort(authority) else { return nil }
        (self.host, self.port) = (host, port)
        guard [path, query, fragment].allSatisfy({ $0.map(Self.isWellFormed) ?? true }) else { return nil }
    }

    /// The port written, else the scheme's.
    package var portOrDefault: Int { port ?? (scheme == "https" ? 443 : 80) }

    /// `scheme://host[:port]` as browsers send it, without a default port (RFC 6454 §6.2).
    package var origin: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        let isDefault = scheme == "https" && port == 443 || scheme == "http" && port == 80
        guard let port, !isDefault else { return "\(scheme)://\(name)" }
        return "\(scheme)://\(name):\(port)"
    }

    /// Letters, digits, hyphens and underscores in labels of at most 63, at most 253 together.
    static func isHostName(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (1...253).contains(text.utf8.count)
            && labels.allSatisfy { label in (1...63).contains(label.count) && label.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") } }
    }

    private static func hostAndPort(_ authority: Substring) -> (String, Int?)? {
        var host = authority
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = decimal(authority[authority.index(after: colon)...], max: 65_535), number > 0 else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return IPAddress.canonicalV6(String(host.dropFirst().dropLast())).map { ($0, port) }
        }
        return isHostName(String(host)) ? (host.lowercased(), port) : nil
    }

    private static func isScheme(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isWordByte($0) && $0 != UInt8(ascii: "_") || "+-.".utf8.contains($0) }
    }

    /// Only what RFC 3986 lets stand unescaped, and whole escapes.
    private static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, isHexDigit(bytes[index + 1]), isHexDigit(bytes[index + 2]) else { return false }
                index += 3
            } else {
                guard isWordByte(bytes[index]) || "-.~!$&'()*+,;=:@/?".utf8.contains(bytes[index]) else { return false }
                index += 1
            }
        }
        return true
    }
}

func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

/// A letter, a digit or `_`, in ASCII.
func isWordByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
}
