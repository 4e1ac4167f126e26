/// The status line and fields of a response.
struct HTTPResponseHead: Sendable {
    /// 100 to 599.
    let status: Int
    let headers: HTTPHeaders
    let framing: HTTPFraming
    /// Whether the connection may be used again once the body has been read.
    let keepsAlive: Bool

    /// Whether another head follows this one: 1xx but 101.
    var isInterim: Bool { status < 200 }

    /// Parses a complete head that answers a request of this method.
    init(parsing head: [UInt8], to method: HTTPMethod) throws(HTTPFault) {
        var head = head
        var status = 0
        var minor = 0
        let fields = try head.withUnsafeMutableBufferPointer { bytes throws(HTTPFault) in
            minor = try HTTPVersion.minor(bytes, at: 0)
            status = try Self.status(bytes)
            var position = 12
            if bytes[position] == ASCII.space {
                while ASCII.isFieldValue(bytes[position]) { position += 1 }
            }
            guard bytes[position] == ASCII.cr, bytes[position + 1] == ASCII.lf else { throw .malformed("The status line is malformed.") }
            return try HTTPFieldParser.parse(bytes, from: position + 2)
        }
        let headers = HTTPHeaders(storage: head, fields: fields)
        self.status = status
        self.headers = headers
        guard status != 101 else { throw .malformed("The protocol was switched unasked.") }
        let declared = try headers.framing()
        guard minor == 1 || declared != .chunked else { throw .malformed("HTTP/1.0 has no transfer codings.") }
        let hasNoBody = status < 200 || status == 204 || status == 304 || method == .head || (method == .connect && status < 300)
        framing = hasNoBody ? .none : declared ?? .untilClose
        let isPersistent = minor == 1 || headers.contains("connection", token: "keep-alive")
        keepsAlive = isPersistent && framing != .untilClose && !headers.contains("connection", token: "close")
    }

    private static func status(_ head: UnsafeMutableBufferPointer<UInt8>) throws(HTTPFault) -> Int {
        guard head.count > 14, head[8] == ASCII.space, ASCII.isDigit(head[9]), ASCII.isDigit(head[10]), ASCII.isDigit(head[11]) else {
            throw .malformed("The status line is malformed.")
        }
        let status = Int(head[9] &- 48) * 100 + Int(head[10] &- 48) * 10 + Int(head[11] &- 48)
        guard status >= 100, status < 600 else { throw .malformed("The status is out of range.") }
        return status
    }
}
