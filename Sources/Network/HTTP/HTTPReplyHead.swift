/// Writes the head of a response.
struct HTTPReplyHead {
    enum Framing {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    let status: Int
    let isVersion11: Bool
    let keepsAlive: Bool
    let framing: Framing

    /// The bytes of the head, its empty line included, with room for `reserving` more.
    func bytes(contentType: StaticString?, fields: [(String, String)], reserving: Int = 0) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(160 + fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 } + reserving)
        Self.append(Self.statusLine(status), to: &head)
        if let contentType {
            Self.append("Content-Type: ", to: &head)
            Self.append(contentType, to: &head)
            Self.append("\r\n", to: &head)
        }
        for (name, value) in fields where !Self.isOurs(name) { Self.append(name, value, to: &head) }
        switch framing {
        case .none, .untilClose: break
        case .length(let count):
            Self.append("Content-Length: ", to: &head)
            Self.append(decimal: count, to: &head)
            Self.append("\r\n", to: &head)
        case .chunked: Self.append("Transfer-Encoding: chunked\r\n", to: &head)
        }
        if !keepsAlive {
            Self.append("Connection: close\r\n", to: &head)
        } else if !isVersion11 {
            Self.append("Connection: keep-alive\r\n", to: &head)
        }
        Self.append("\r\n", to: &head)
        return head
    }

    /// Appends a field line; control characters in it become spaces, so that no value can end the line and begin another (response splitting).
    static func append(_ name: String, _ value: String, to head: inout [UInt8]) {
        let start = head.count
        head.append(contentsOf: name.utf8)
        let nameEnd = head.count
        append(": ", to: &head)
        head.append(contentsOf: value.utf8)
        head.withUnsafeMutableBufferPointer { bytes in
            for index in start..<nameEnd where !HTTPByteSet.token.contains(bytes[index]) { bytes[index] = UInt8(ascii: "-") }
            for index in nameEnd + 2..<bytes.count where !ASCII.isFieldValue(bytes[index]) { bytes[index] = ASCII.space }
        }
        append("\r\n", to: &head)
    }

    @inline(__always)
    static func append(_ text: StaticString, to head: inout [UInt8]) {
        head.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    static func append(decimal number: Int, to head: inout [UInt8]) {
        guard number > 9 else { return head.append(48 &+ UInt8(truncatingIfNeeded: number)) }
        append(decimal: number / 10, to: &head)
        head.append(48 &+ UInt8(truncatingIfNeeded: number % 10))
    }

    /// The size line of a chunk.
    static func append(chunkSize number: Int, to bytes: inout [UInt8]) {
        var shift = 60
        while shift > 0, number >> shift == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
            bytes.append(digit < 10 ? digit + 48 : digit + 87)
            shift -= 4
        }
        append("\r\n", to: &bytes)
    }

    /// Fields that only the connection may set: a second framing would let two readers disagree.
    static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 10: name.lowercased() == "connection"
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    private static func statusLine(_ status: Int) -> StaticString {
        switch status {
        case 200: "HTTP/1.1 200 OK\r\n"
        case 201: "HTTP/1.1 201 Created\r\n"
        case 202: "HTTP/1.1 202 Accepted\r\n"
        case 204: "HTTP/1.1 204 No Content\r\n"
        case 302: "HTTP/1.1 302 Found\r\n"
        case 303: "HTTP/1.1 303 See Other\r\n"
        case 304: "HTTP/1.1 304 Not Modified\r\n"
        case 307: "HTTP/1.1 307 Temporary Redirect\r\n"
        case 400: "HTTP/1.1 400 Bad Request\r\n"
        case 401: "HTTP/1.1 401 Unauthorized\r\n"
        case 403: "HTTP/1.1 403 Forbidden\r\n"
        case 404: "HTTP/1.1 404 Not Found\r\n"
        case 405: "HTTP/1.1 405 Method Not Allowed\r\n"
        case 406: "HTTP/1.1 406 Not Acceptable\r\n"
        case 408: "HTTP/1.1 408 Request Timeout\r\n"
        case 409: "HTTP/1.1 409 Conflict\r\n"
        case 410: "HTTP/1.1 410 Gone\r\n"
        case 413: "HTTP/1.1 413 Content Too Large\r\n"
        case 415: "HTTP/1.1 415 Unsupported Media Type\r\n"
        case 417: "HTTP/1.1 417 Expectation Failed\r\n"
        case 421: "HTTP/1.1 421 Misdirected Request\r\n"
        case 422: "HTTP/1.1 422 Unprocessable Content\r\n"
        case 429: "HTTP/1.1 429 Too Many Requests\r\n"
        case 431: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
        case 501: "HTTP/1.1 501 Not Implemented\r\n"
        case 502: "HTTP/1.1 502 Bad Gateway\r\n"
        case 503: "HTTP/1.1 503 Service Unavailable\r\n"
        case 504: "HTTP/1.1 504 Gateway Timeout\r\n"
        case 505: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
        default: "HTTP/1.1 500 Internal Server Error\r\n"
        }
    }
}
