/// A request to send.
package struct HTTPClientRequest: Sendable {
    /// The method.
    package var method: HTTPMethod
    /// Whom to send it to.
    package var origin: HTTPOrigin
    /// Path and query, as they go on the wire.
    package var target: String
    /// Field lines that never change, each ending in CR LF, rendered with `HTTPClientRequest.lines(_:)`.
    package var fieldsPrefix: [UInt8]
    /// Further fields; Host, Content-Length, Transfer-Encoding and Connection are set by the client.
    package var fields: [(String, String)]
    /// The body.
    package var body: [UInt8]
    /// The way there, or nil for the direct one.
    package var proxy: HTTPProxy?

    /// Makes a request.
    package init(
        _ method: HTTPMethod, _ origin: HTTPOrigin, _ target: String, fieldsPrefix: [UInt8] = [], fields: [(String, String)] = [], body: [UInt8] = [],
        proxy: HTTPProxy? = nil
    ) {
        self.method = method
        self.origin = origin
        self.target = target
        self.fieldsPrefix = fieldsPrefix
        self.fields = fields
        self.body = body
        self.proxy = proxy
    }

    /// Renders fields once, for many requests.
    package static func lines(_ fields: [(String, String)]) -> [UInt8] {
        var lines: [UInt8] = []
        for (name, value) in fields where !isOurs(name) { HTTPReplyHead.append(name, value, to: &lines) }
        return lines
    }

    /// The head as it goes on the wire.
    func head() -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(fields.reduce(fieldsPrefix.count + target.utf8.count + 160) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 })
        head.append(contentsOf: method.name.utf8)
        head.append(ASCII.space)
        if proxy != nil, !origin.isTLS { head.append(contentsOf: origin.description.utf8) }
        // A space or a line end in the target would begin another request (request splitting).
        if target.utf8.allSatisfy(HTTPByteSet.target.contains) {
            head.append(contentsOf: target.utf8)
        } else {
            for byte in target.utf8 {
                if HTTPByteSet.target.contains(byte) { head.append(byte) } else { Self.append(escaped: byte, to: &head) }
            }
        }
        HTTPReplyHead.append(" HTTP/1.1\r\n", to: &head)
        HTTPReplyHead.append("Host", origin.authority, to: &head)
        head.append(contentsOf: fieldsPrefix)
        for (name, value) in fields where !Self.isOurs(name) { HTTPReplyHead.append(name, value, to: &head) }
        if !origin.isTLS, let authorization = proxy?.authorization {
            HTTPReplyHead.append("Proxy-Authorization", authorization, to: &head)
        }
        if !body.isEmpty || (method != .get && method != .head && method != .delete && method != .options) {
            HTTPReplyHead.append("Content-Length: ", to: &head)
            HTTPReplyHead.append(decimal: body.count, to: &head)
            HTTPReplyHead.append("\r\n", to: &head)
        }
        HTTPReplyHead.append("\r\n", to: &head)
        return head
    }

    private static func isOurs(_ name: String) -> Bool {
        HTTPReplyHead.isOurs(name) || (name.utf8.count == 4 && name.lowercased() == "host")
    }

    private static func append(escaped byte: UInt8, to head: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        head += [ASCII.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
