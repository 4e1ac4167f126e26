/// Which headers a credential may set.
enum HeaderName {
    /// Notes the problem and gives false where the key is no name of a header, or one that is the gateway's own.
    static func check(_ entry: YAMLNode.Entry, _ findings: inout Findings) -> Bool {
        guard (1...256).contains(entry.key.utf8.count), entry.key.utf8.allSatisfy(isTokenByte) else {
            findings.add("\(quoted(entry.key)) is no name of a header", at: entry.keyPosition, fix: "write letters, digits and hyphens only")
            return false
        }
        guard !isReserved(entry.key) else {
            findings.add("the gateway sets the header \(entry.key) itself", at: entry.keyPosition, fix: "remove it")
            return false
        }
        return true
    }

    /// Those that say how the message is framed, read or routed: another value would let the two ends disagree (request smuggling).
    static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("mcp-") || name.hasPrefix("proxy-") || reserved.contains(name)
    }

    private static let reserved: Set = [
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer",
        "expect", "accept", "accept-encoding", "last-event-id", "http2-settings",
    ]

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool { isWordByte(byte) || "!#$%&'*+-.^`|~".utf8.contains(byte) }
}
