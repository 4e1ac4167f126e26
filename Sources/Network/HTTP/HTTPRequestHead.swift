/// The request line and fields of a request, checked as strictly as RFC 9112 allows.
struct HTTPRequestHead: Sendable {
    let method: HTTPMethod
    let path: String
    let query: String?
    /// False for HTTP/1.0.
    let isVersion11: Bool
    let headers: HTTPHeaders
    let framing: HTTPFraming
    /// Whether the connection may be used again.
    let keepsAlive: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    let expectsContinue: Bool

    /// Parses a complete head, as `HTTPHeadScanner` delimited it.
    init(parsing head: [UInt8]) throws(HTTPFault) {
        var head = head
        var line = Line()
        let fields = try head.withUnsafeMutableBufferPointer { bytes throws(HTTPFault) in
            line = try Line(bytes)
            return try HTTPFieldParser.parse(bytes, from: line.end)
        }
        let method = HTTPMethod(String(decoding: head[..<line.methodEnd], as: UTF8.self))
        let target = try HTTPRequestTarget(head[(line.methodEnd + 1)..<line.targetEnd], method: method)
        let headers = HTTPHeaders(storage: head, fields: fields)
        try Self.checkHost(headers, target: target, isRequired: line.isVersion11)
        let framing = try headers.framing()
        guard line.isVersion11 || framing != .chunked else { throw .malformed("HTTP/1.0 has no transfer codings.") }
        self.method = method
        path = target.path
        query = target.query
        isVersion11 = line.isVersion11
        self.headers = headers
        self.framing = framing ?? .none
        let isPersistent = line.isVersion11 || headers.contains("connection", token: "keep-alive")
        keepsAlive = isPersistent && !headers.contains("connection", token: "close")
        expectsContinue = try Self.expectsContinue(headers) && line.isVersion11
    }

    /// Two hosts, or none, let two hops disagree about whom the request is for.
    private static func checkHost(_ headers: HTTPHeaders, target: HTTPRequestTarget, isRequired: Bool) throws(HTTPFault) {
        guard let host = headers.bytes(of: "host") else {
            guard !isRequired else { throw .malformed("Host is missing.") }
            return
        }
        guard headers.count(of: "host") == 1 else { throw .malformed("Host is repeated.") }
        guard !host.isEmpty, host.allSatisfy({ HTTPByteSet.host.contains($0) }) else { throw .malformed("Host is not a host.") }
        if let authority = target.authority {
            guard authority.elementsEqual(host, by: { ASCII.lowercased($0) == ASCII.lowercased($1) }) else {
                throw .malformed("The target names another host than Host.")
            }
        }
    }

    private static func expectsContinue(_ headers: HTTPHeaders) throws(HTTPFault) -> Bool {
        guard headers.count(of: "expect") > 0 else { return false }
        guard headers.isEqual("expect", "100-continue") else { throw HTTPFault(417, "The only expectation met is 100-continue.") }
        return true
    }
}

extension HTTPRequestHead {
    /// Where the parts of the request line end.
    private struct Line {
        var methodEnd = 0
        var targetEnd = 0
        /// The first field line.
        var end = 0
        var isVersion11 = true

        init() {}

        /// `head` holds at least one CR LF, so that each loop stops before the end.
        init(_ head: UnsafeMutableBufferPointer<UInt8>) throws(HTTPFault) {
            var position = 0
            while HTTPByteSet.token.contains(head[position]) { position += 1 }
            guard position > 0, position <= 32, head[position] == ASCII.space else { throw .malformed("The method is malformed.") }
            methodEnd = position
            position += 1
            while HTTPByteSet.target.contains(head[position]) { position += 1 }
            guard position > methodEnd + 1, head[position] == ASCII.space else { throw .malformed("The target is malformed.") }
            targetEnd = position
            position += 1
            let version = try HTTPVersion.minor(head, at: position)
            isVersion11 = version == 1
            position += 8
            guard head[position] == ASCII.cr, head[position + 1] == ASCII.lf else { throw .malformed("The request line is malformed.") }
            end = position + 2
        }
    }
}

/// The version that begins or ends the first line of a message.
enum HTTPVersion {
    /// Reads `HTTP/1.0` or `HTTP/1.1` and returns the minor version.
    static func minor(_ head: UnsafeMutableBufferPointer<UInt8>, at start: Int) throws(HTTPFault) -> Int {
        guard head.count - start >= 10, head[start] == UInt8(ascii: "H"), head[start + 1] == UInt8(ascii: "T"),
            head[start + 2] == UInt8(ascii: "T"), head[start + 3] == UInt8(ascii: "P"), head[start + 4] == ASCII.slash,
            ASCII.isDigit(head[start + 5]), head[start + 6] == ASCII.dot, ASCII.isDigit(head[start + 7])
        else { throw .malformed("The version is malformed.") }
        let minor = Int(head[start + 7] &- 48)
        guard head[start + 5] == UInt8(ascii: "1"), minor <= 1 else { throw HTTPFault(505, "Only versions 1.0 and 1.1 of HTTP are served.") }
        return minor
    }
}
