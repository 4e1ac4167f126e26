import JSON

/// JSON-RPC messages as bytes.
enum Reply {
    /// An answer; `result` is a JSON object's text.
    static func result(_ result: [UInt8], to message: Incoming) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(result.count + 64)
        bytes.append("{\"jsonrpc\":\"2.0\",\"id\":")
        append(idOf: message, to: &bytes)
        bytes.append(",\"result\":")
        bytes.append(contentsOf: result)
        bytes.append("}")
        return bytes
    }

    /// An error; without a message to answer it has no id.
    static func fault(_ fault: Fault, to message: Incoming?) -> [UInt8] {
        var error: [JSONValue.Member] = [.init("code", .number(String(fault.code))), .init("message", .string(fault.message))]
        if let data = fault.data { error.append(.init("data", data)) }
        var bytes = Array("{\"jsonrpc\":\"2.0\",".utf8)
        if let message, message.id != nil {
            bytes.append("\"id\":")
            append(idOf: message, to: &bytes)
            bytes.append(",")
        }
        bytes.append("\"error\":")
        bytes.append(json: .object(error))
        bytes.append("}")
        return bytes
    }

    /// A `notifications/progress` for the request; nil when it wants none.
    static func progress(_ progress: Progress, of message: Incoming) -> [UInt8]? {
        guard let token = message.progressToken else { return nil }
        let text = """
            {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\(message.text(token)),\
            "progress":\(progress.done),"total":\(progress.total),"message":\(JSONValue.string(progress.message).text)}}
            """
        return Array(text.utf8)
    }

    private static func append(idOf message: Incoming, to bytes: inout [UInt8]) {
        if let id = message.id { bytes.append(contentsOf: message.bytes[id]) } else { bytes.append("null") }
    }
}

/// How far a slow tool has come.
struct Progress {
    let done: Int
    let total: Int
    let message: String
}
