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
    package init(_ response: Message, id: some Collection<UInt8>, era: Era, from server: JSONValue = Product.info) {
        var out: [UInt8] = []
        out.reserveCapacity(response.bytes.count + 200)
        out.append("{\"jsonrpc\":\"2.0\",\"id\":")
        out.append(contentsOf: id)
        if let result = response.result {
            out.append(",\"result\":")
            out.append(result, of: response, era: era, from: server)
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

    /// An older client was not told of these members, and may be strict.
    private mutating func append(_ result: Message.Result, of response: Message, without gone: [Range<Int>]) {
        var start = result.range.lowerBound
        for range in gone {
            if start < range.lowerBound { append(contentsOf: response.bytes[start..<range.lowerBound]) }
            start = range.upperBound
            // The first member has no comma before it, but the next one has.
            guard last == UInt8(ascii: "{") else { continue }
            while start < result.range.upperBound, response.bytes[start] <= 0x20 { start += 1 }
            if response.bytes[start] == UInt8(ascii: ",") { start += 1 }
        }
        append(contentsOf: response.bytes[start..<result.range.upperBound])
    }

    /// A modern client must see `resultType`, and should see who answers (MCP 2026-07-28 basic/index, "Responses").
    fileprivate mutating func append(_ result: Message.Result, of response: Message, era: Era, from server: JSONValue) {
        let bytes = response.bytes
        if era == .legacy, !result.modernMembers.isEmpty {
            append(result, of: response, without: result.modernMembers)
            return
        }
        guard era == .modern, result.resultType == nil || !result.hasServerInfo else {
            append(contentsOf: bytes[result.range])
            return
        }
        append(UInt8(ascii: "{"))
        if result.resultType == nil { append("\"resultType\":\"complete\"") }
        if result.meta == nil {
            if last != UInt8(ascii: "{") { append(UInt8(ascii: ",")) }
            append("\"_meta\":{")
            append(serverInfo: server)
            append(UInt8(ascii: "}"))
        }
        if !result.isEmpty, last != UInt8(ascii: "{") { append(UInt8(ascii: ",")) }
        var start = result.range.lowerBound + 1
        if let meta = result.meta, meta.kind == .object, !result.hasServerInfo {
            append(contentsOf: bytes[start...meta.range.lowerBound])
            append(serverInfo: server)
            if !result.isMetaEmpty { append(UInt8(ascii: ",")) }
            start = meta.range.lowerBound + 1
        }
        append(contentsOf: bytes[start..<result.range.upperBound])
    }
}
