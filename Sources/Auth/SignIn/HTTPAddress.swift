/// An `http` or `https` address that another server named, taken apart strictly: what a browser could read differently is none.
struct HTTPAddress: Hashable, Sendable {
    private static let bytesMax = 2_048

    let text: String
    /// `scheme://host[:port]`, in lower case, without a default port.
    let origin: String
    /// In lower case; an IPv6 address in its brackets.
    let host: String
    let isTLS: Bool
    /// Empty, or starting with `/`.
    let path: String
    /// What follows the `?`.
    let query: String?

    /// Nil for other schemes, user information, fragments, and characters that don't belong in an address.
    init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}#@".utf8.contains($0) }) else {
            return nil
        }
        let lower = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: lower.hasPrefix) else { return nil }
        let rest = text.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }.lowercased()
        let tail = rest.dropFirst(authority.utf8.count)
        var host = authority
        var port = ""
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            port = String(authority[authority.index(after: colon)...])
            host = String(authority[..<colon])
            guard let number = UInt16(port), number > 0, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        }
        let isLiteral = host.hasPrefix("[") && host.hasSuffix("]")
        let name = isLiteral ? host.dropFirst().dropLast() : host[...]
        let allowed = isLiteral ? "0123456789abcdef:." : "abcdefghijklmnopqrstuvwxyz0123456789-._"
        guard !name.isEmpty, name.utf8.allSatisfy(allowed.utf8.contains) else { return nil }
        isTLS = scheme == "https://"
        self.text = text
        self.host = host
        origin = scheme + host + (port.isEmpty || port == (isTLS ? "443" : "80") ? "" : ":\(port)")
        path = String(tail.prefix { $0 != "?" })
        query = tail.firstIndex(of: "?").map { String(tail[tail.index(after: $0)...]) }
    }

    /// Whether it leads to this machine for sure.
    var isLoopback: Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || host == "[::1]" || numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }

    /// Whether codes and tokens may travel there (OAuth 2.1 §1.5).
    var isSafe: Bool { isTLS || isLoopback }
}
