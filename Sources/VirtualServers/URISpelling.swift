/// Whether a URI that no list has is spelt so that it can mean only what it reads: rules compare texts, and upstreams decode them.
///
/// Refused are escapes of what needs none or parts a path, `.` and `..`, empty parts, capitals in the scheme or a web host, user
/// information there, fragments, and in `file:` a host or a query (RFC 3986 §6.2).
package enum URISpelling {
    static func isPlain(_ uri: String) -> Bool {
        let bytes = Array(uri.utf8)
        guard hasScheme(uri), let colon = bytes.firstIndex(of: UInt8(ascii: ":")), !bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }),
            !bytes.contains(UInt8(ascii: "#")), !bytes.contains(UInt8(ascii: "\\")), bytes[..<colon].allSatisfy({ !isUpper($0) }),
            hasPlainEscapes(bytes)
        else { return false }
        var path = bytes[(colon + 1)...]
        let isFile = bytes[..<colon].elementsEqual("file".utf8)
        if isFile, path.contains(UInt8(ascii: "?")) || !path.starts(with: "//".utf8) { return false }
        path = path.prefix { $0 != UInt8(ascii: "?") }
        if path.starts(with: "//".utf8) {
            let host = path.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }
            let isWeb = bytes[..<colon].elementsEqual("http".utf8) || bytes[..<colon].elementsEqual("https".utf8)
            // In other schemes what stands there is often a name of something, with capitals.
            if isWeb, host.contains(where: { isUpper($0) || $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "%") }) { return false }
            guard !isFile || host.isEmpty else { return false }
            path = path.dropFirst(2 + host.count)
        }
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return !parts.enumerated().contains { index, part in
            part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) || part.isEmpty && index > 0 && index < parts.count - 1
        }
    }

    /// Whether it begins as every URI does (RFC 3986 §3.1), or with an underscore in its scheme as some servers have it.
    package static func hasScheme(_ uri: String) -> Bool {
        let scheme = uri.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard scheme.count < uri.utf8.count, let first = scheme.first, isLetter(first) else { return false }
        return scheme.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "+-._".utf8.contains($0) }
    }

    /// Only what could not stand there as it is may be escaped, and no part of a path may hide a slash.
    private static func hasPlainEscapes(_ bytes: [UInt8]) -> Bool {
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            guard index + 2 < bytes.count, let value = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16),
                !isUnreserved(value), value != UInt8(ascii: "/"), value != UInt8(ascii: "\\"), value > 0x1F, value != 0x7F
            else { return false }
        }
        return true
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
    }
}
