import JSON

/// A JSON-RPC response for a client, ready to be sent.
package struct Reply: Sendable {
    package let bytes: [UInt8]
    /// The HTTP status that carries it in the modern era.
    package let modernStatus: Int

    package init(bytes: [UInt8], modernStatus: Int = 200) {
        self.bytes = bytes
        self.modernStatus = modernStatus
    }

    /// An error of our own. `id` is the request's as it was spelt; nil where it could not be read.
    package init(_ error: ProtocolError, id: some Collection<UInt8>, isIDKnown: Bool = true) {
        var out: [UInt8] = []
        out.append("{\"jsonrpc\":\"2.0\",\"id\":")
        if isIDKnown { out.append(contentsOf: id) } else { out.append("null") }
        out.append(",\"error\":")
        out.append(json: error.json)
        out.append(UInt8(ascii: "}"))
        self.init(bytes: out, modernStatus: error.code.httpStatus)
    }

    /// A result of our own; `members` are rendered and joined by commas. In the modern era `resultType` and our identity are added.
    package init(result members: [UInt8], id: some Collection<UInt8>, era: Era, from server: JSONValue = Product.info) {
        var out: [UInt8] = []
        out.reserveCapacity(members.count + 200)
        out.append("{\"jsonrpc\":\"2.0\",\"id\":")
        out.append(contentsOf: id)
        out.append(",\"result\":{")
        out.append(contentsOf: members)
        if era == .modern {
            if !members.isEmpty { out.append(UInt8(ascii: ",")) }
            out.append("\"resultType\":\"complete\",\"_meta\":{")
            out.append(serverInfo: server)
            out.append(UInt8(ascii: "}"))
        }
        out.append("}}")
        self.init(bytes: out)
    }

    /// An upstream's response, under the client's id and in the form of the client's era; all else is left as it came.
    ///
    /// `hint` takes the place of what the upstream says of caching, towards modern clients.
    package init(_ response: Message, id: some Collection<UInt8>, era: Era, from server: JSONValue = Product.info, hint: CacheHint? = nil) {
        var out: [UInt8] = []
        out.reserveCapacity(response.bytes.count + 200)
        out.append("{\"jsonrpc\":\"2.0\",\"id\":")
        out.append(contentsOf: id)
        if let result = response.result {
            out.append(",\"result\":")
            out.append(result, of: response, era: era, from: server, hint: hint)
            out.append(UInt8(ascii: "}"))
            self.init(bytes: out)
        } else {
            let error = response.error.map(response.value) ?? ["code": -32603, "message": "no result"]
            out.append(",\"error\":")
            if let range = response.error?.range { out.append(contentsOf: response.bytes[range]) } else { out.append(json: error) }
            out.append(UInt8(ascii: "}"))
            self.init(bytes: out, modernStatus: ErrorCode(rawValue: error["code"]?.integer ?? 0).httpStatus)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(serverInfo server: JSONValue) {
        append("\"io.modelcontextprotocol/serverInfo\":")
        append(json: server)
    }

    /// An older client was not told of newer members, and may be strict; a modern one must see `resultType`, and should see who answers
    /// (MCP 2026-07-28 basic/index, "Responses").
    fileprivate mutating func append(_ result: Message.Result, of response: Message, era: Era, from server: JSONValue, hint: CacheHint?) {
        let bytes = response.bytes
        let isModern = era == .modern
        let gone = isModern ? (hint == nil ? [] : result.hintMembers) : result.modernMembers
        guard !gone.isEmpty || result.lacksContent || isModern && (hint != nil || result.resultType == nil || !result.hasServerInfo) else {
            append(contentsOf: bytes[result.range])
            return
        }
        append(UInt8(ascii: "{"))
        if result.lacksContent { append("\"content\":[],") }
        if isModern {
            if result.resultType == nil { append("\"resultType\":\"complete\",") }
            if let hint {
                append(contentsOf: hint.members)
                append(UInt8(ascii: ","))
            }
            if result.meta == nil {
                append("\"_meta\":{")
                append(serverInfo: server)
                append("},")
            }
        }
        let body = result.range.lowerBound + 1..<result.range.upperBound - 1
        let isSigned = result.hasServerInfo || !isModern
        if !result.isEmpty {
            append(bytes, body, without: gone) { out, part in
                guard !isSigned, let meta = result.meta, meta.kind == .object, part.contains(meta.range.lowerBound) else {
                    return out.append(contentsOf: bytes[part])
                }
                out.append(contentsOf: bytes[part.lowerBound...meta.range.lowerBound])
                out.append(serverInfo: server)
                if !result.isMetaEmpty { out.append(UInt8(ascii: ",")) }
                out.append(contentsOf: bytes[meta.range.lowerBound + 1..<part.upperBound])
            }
        }
        if last == UInt8(ascii: ",") { removeLast() }
        append(UInt8(ascii: "}"))
    }

    /// Appends what is left of a range; `gone` are members, each with the comma before it.
    private mutating func append(
        _ bytes: [UInt8], _ range: Range<Int>, without gone: [Range<Int>], _ copy: (inout [UInt8], Range<Int>) -> Void
    ) {
        var start = range.lowerBound
        for member in gone {
            if start < member.lowerBound { copy(&self, start..<member.lowerBound) }
            start = member.upperBound
            // The first member has no comma before it, but the next one has.
            guard last == UInt8(ascii: "{") || last == UInt8(ascii: ",") else { continue }
            while start < range.upperBound, bytes[start] <= 0x20 { start += 1 }
            if start < range.upperBound, bytes[start] == UInt8(ascii: ",") { start += 1 }
        }
        if start < range.upperBound { copy(&self, start..<range.upperBound) }
    }
}
