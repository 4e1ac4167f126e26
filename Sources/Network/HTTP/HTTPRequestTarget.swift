/// The path and query of a request, and the authority when the target names one (RFC 9112 §3.2).
struct HTTPRequestTarget: Sendable, Equatable {
    /// As it was sent, percent-encoding included; begins with `/`, or is `*`.
    let path: String
    /// What follows the first `?`, or nil.
    let query: String?
    /// The authority of an absolute-form target.
    let authority: ArraySlice<UInt8>?

    /// Takes the target apart; `bytes` is not empty and holds only target bytes.
    init(_ bytes: ArraySlice<UInt8>, method: HTTPMethod) throws(HTTPFault) {
        guard method != .connect else { throw HTTPFault(501, "CONNECT is not served.") }
        var rest = bytes
        var authority: ArraySlice<UInt8>?
        if rest.first == UInt8(ascii: "*") {
            guard method == .options, rest.count == 1 else { throw .malformed("The target is not a path.") }
        } else if rest.first != ASCII.slash {
            guard let start = Self.authorityStart(rest) else { throw .malformed("The target is not a path.") }
            let end = rest[start...].firstIndex { $0 == ASCII.slash || $0 == ASCII.question } ?? rest.endIndex
            authority = rest[start..<end]
            rest = rest[end...]
        }
        let mark = rest.firstIndex(of: ASCII.question)
        let path = rest[..<(mark ?? rest.endIndex)]
        try Self.refuseDotSegments(path)
        self.path = path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
        query = mark.map { String(decoding: rest[($0 + 1)...], as: UTF8.self) }
        self.authority = authority
    }

    private static func authorityStart(_ target: ArraySlice<UInt8>) -> Int? {
        for scheme in ["http://", "https://"] as [StaticString] {
            let count = scheme.utf8CodeUnitCount
            if target.count > count, HTTPHeaders.isEqual(target.prefix(count), scheme) { return target.startIndex + count }
        }
        return nil
    }

    /// Stops `/a/../b` and `/a/%2e%2e/b`, which another hop may have read as `/b`.
    private static func refuseDotSegments(_ path: ArraySlice<UInt8>) throws(HTTPFault) {
        guard path.contains(where: { $0 == ASCII.dot || $0 == ASCII.percent }) else { return }
        for segment in path.split(separator: ASCII.slash) {
            var dots = 0
            var rest = segment
            while let byte = rest.first {
                if byte == ASCII.dot {
                    rest = rest.dropFirst()
                } else if HTTPHeaders.isEqual(rest.prefix(3), "%2e") {
                    rest = rest.dropFirst(3)
                } else {
                    dots = 3
                    break
                }
                dots += 1
            }
            guard dots > 2 else { throw .malformed("The path holds a dot segment.") }
        }
    }
}
