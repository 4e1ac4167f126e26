import JSON

/// Why bytes are no message; `id` is known where it stood before the mistake.
package struct MessageError: Error, Sendable {
    package let error: ProtocolError
    package let id: [UInt8]?
}

extension Message {
    /// Reads one JSON-RPC message in one pass (JSON-RPC 2.0 §4–5; MCP basic/index, "Messages").
    ///
    /// A duplicate of a member that the gateway looks at is refused: two readers could take different ones.
    package convenience init(scanning bytes: [UInt8], depthMax: Int = 128) throws(MessageError) {
        var envelope = Envelope()
        do {
            try envelope.scan(bytes.span, depthMax: depthMax)
        } catch {
            let isForm = error.reason == .duplicateKey || error.reason == .wrongKind
            let code: ErrorCode = !isForm ? .parse : envelope.isInParams ? .invalidParams : .invalidRequest
            let isBatch = error.reason == .wrongKind && error.offset == 0 && bytes.first { $0 > 0x20 } == UInt8(ascii: "[")
            let what = isBatch ? "batches are not supported here" : "\(error)"
            let text = "\(!isForm ? "Parse error" : envelope.isInParams ? "Invalid params" : "Invalid request"): \(what)"
            throw MessageError(error: ProtocolError(code, text), id: envelope.id.map { Array(bytes[$0.range]) })
        }
        func refuse(_ what: String) -> MessageError {
            MessageError(error: ProtocolError(.invalidRequest, "Invalid request: \(what)"), id: envelope.id.map { Array(bytes[$0.range]) })
        }
        guard envelope.isVersioned == true else { throw refuse("`jsonrpc` must be \"2.0\"") }
        if let idKind = envelope.idKind, idKind != .string, !envelope.isIntegerID {
            guard idKind == .null, envelope.error != nil else { throw refuse("`id` must be a string or an integer") }
        }
        let kind: Kind
        var method: Method?
        if let name = envelope.methodName {
            guard envelope.result == nil, envelope.error == nil else { throw refuse("a request has no result and no error") }
            kind = envelope.idKind == nil ? .notification : .request
            method = Method(name, in: bytes.span)
        } else {
            guard (envelope.result == nil) != (envelope.error == nil) else { throw refuse("`method` is missing") }
            guard envelope.idKind != nil || envelope.error != nil else { throw refuse("`id` is missing") }
            kind = envelope.result == nil ? .error : .result
        }
        self.init(
            bytes: bytes, kind: kind, id: envelope.id, method: method, methodName: envelope.methodName, params: envelope.params,
            result: envelope.result, error: envelope.error)
    }
}

/// The members of a message while they are being noted.
private struct Envelope {
    /// Whether `jsonrpc` was right; nil before it was seen.
    var isVersioned: Bool?
    var id: JSONExtent?
    var idKind: JSONKind?
    var isIntegerID = false
    var methodName: JSONText?
    var params = Message.Params()
    var isInParams = false
    var result: Message.Result?
    var error: JSONExtent?

    mutating func scan(_ bytes: Span<UInt8>, depthMax: Int) throws(JSONError) {
        var scanner = JSONScanner(depthMax: depthMax)
        guard try scanner.nextKind(in: bytes) == .object else {
            // What is no JSON at all is a parse error, whatever it begins with.
            try scanner.skipValue(in: bytes)
            try scanner.end(in: bytes)
            throw JSONError(.wrongKind, at: 0)
        }
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            if key.isEqual("jsonrpc", in: bytes) {
                try refuseDuplicate(isVersioned, key)
                isVersioned = try scanner.string(in: bytes).isEqual("2.0", in: bytes)
            } else if key.isEqual("id", in: bytes) {
                try refuseDuplicate(idKind, key)
                let extent = try scanner.skipValue(in: bytes)
                idKind = extent.kind
                isIntegerID = extent.kind == .number && isInteger(extent.range, in: bytes)
                if extent.kind == .string || isIntegerID { id = extent }
            } else if key.isEqual("method", in: bytes) {
                try refuseDuplicate(methodName, key)
                methodName = try scanner.string(in: bytes)
            } else if key.isEqual("params", in: bytes) {
                try refuseDuplicate(params.range, key)
                let start = try scanner.nextKind(in: bytes) == .object ? scanner.position : nil
                guard let start else { throw JSONError(.wrongKind, at: scanner.position) }
                isInParams = true
                try params.scan(&scanner, in: bytes)
                isInParams = false
                params.range = start..<scanner.position
            } else if key.isEqual("result", in: bytes) {
                try refuseDuplicate(result, key)
                guard try scanner.nextKind(in: bytes) == .object else { throw JSONError(.wrongKind, at: scanner.position) }
                result = try Message.Result(next: &scanner, in: bytes)
            } else if key.isEqual("error", in: bytes) {
                try refuseDuplicate(error, key)
                guard try scanner.nextKind(in: bytes) == .object else { throw JSONError(.wrongKind, at: scanner.position) }
                error = try scanner.skipValue(in: bytes)
            } else {
                try scanner.skipValue(in: bytes)
            }
        }
        try scanner.end(in: bytes)
    }

    /// Integers only: `1.0` and `1e3` are no ids (MCP basic/index, "Requests").
    private func isInteger(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        for index in range where bytes[index] == UInt8(ascii: ".") || bytes[index] | 0x20 == UInt8(ascii: "e") { return false }
        return true
    }
}

private func refuseDuplicate<Noted>(_ noted: Noted?, _ key: JSONText) throws(JSONError) {
    if noted != nil { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
}

extension Message.Params {
    fileprivate mutating func scan(_ scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            if key.isEqual("name", in: bytes) {
                name = try text(name, "name", key, &scanner, in: bytes)
            } else if key.isEqual("arguments", in: bytes) {
                try refuseDuplicate(arguments, key)
                arguments = try scanner.skipValue(in: bytes)
            } else if key.isEqual("_meta", in: bytes) {
                try refuseDuplicate(meta, key)
                if try scanner.nextKind(in: bytes) == .object {
                    meta = try Message.Meta(next: &scanner, in: bytes)
                } else {
                    try scanner.skipValue(in: bytes)
                    defect = "`_meta` must be an object"
                }
            } else if key.isEqual("uri", in: bytes) {
                uri = try text(uri, "uri", key, &scanner, in: bytes)
            } else if key.isEqual("taskId", in: bytes) {
                taskID = try text(taskID, "taskId", key, &scanner, in: bytes)
                others.append(key.range.lowerBound - 1..<scanner.position)
            } else if key.isEqual("task", in: bytes) {
                try refuseDuplicate(task, key)
                task = try scanner.skipValue(in: bytes)
            } else if key.isEqual("cursor", in: bytes) {
                cursor = try text(cursor, "cursor", key, &scanner, in: bytes)
            } else if key.isEqual("requestId", in: bytes) {
                try refuseDuplicate(requestID, key)
                requestID = try scanner.skipValue(in: bytes)
            } else if key.isEqual("progressToken", in: bytes) {
                try refuseDuplicate(progressToken, key)
                progressToken = try scanner.skipValue(in: bytes)
            } else if key.isEqual("level", in: bytes) {
                level = try text(level, "level", key, &scanner, in: bytes)
            } else if key.isEqual("protocolVersion", in: bytes) {
                protocolVersion = try text(protocolVersion, "protocolVersion", key, &scanner, in: bytes)
            } else if key.isEqual("capabilities", in: bytes) {
                try refuseDuplicate(capabilities, key)
                capabilities = try scanner.skipValue(in: bytes)
            } else if key.isEqual("clientInfo", in: bytes) {
                try refuseDuplicate(clientInfo, key)
                clientInfo = try scanner.skipValue(in: bytes)
            } else if key.isEqual("notifications", in: bytes) {
                try refuseDuplicate(notifications, key)
                notifications = try scanner.skipValue(in: bytes)
            } else if key.isEqual("requestState", in: bytes) {
                requestState = try text(requestState, "requestState", key, &scanner, in: bytes)
            } else if key.isEqual("inputResponses", in: bytes) {
                try refuseDuplicate(inputResponses, key)
                let responses = try scanner.skipValue(in: bytes)
                if responses.kind == .object { inputResponses = responses } else { defect = "`inputResponses` must be an object" }
            } else {
                try scanner.skipValue(in: bytes)
                others.append(key.range.lowerBound - 1..<scanner.position)
            }
        }
    }

    private mutating func text(
        _ noted: JSONText?, _ what: String, _ key: JSONText, _ scanner: inout JSONScanner, in bytes: Span<UInt8>
    ) throws(JSONError) -> JSONText? {
        try refuseDuplicate(noted, key)
        if what == "cursor" {
            guard !isCursorNull else { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
        }
        if try scanner.nextKind(in: bytes) == .string { return try scanner.string(in: bytes) }
        if try scanner.skipValue(in: bytes).kind == .null, what == "cursor" {
            isCursorNull = true
        } else {
            defect = "`\(what)` must be a string"
        }
        return nil
    }
}

extension Message.Meta {
    fileprivate init(next scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            if key.isEqual("io.modelcontextprotocol/protocolVersion", in: bytes) {
                try refuseDuplicate(protocolVersion, key)
                protocolVersion = try scanner.string(in: bytes)
            } else if key.isEqual("io.modelcontextprotocol/clientCapabilities", in: bytes) {
                try refuseDuplicate(clientCapabilities, key)
                clientCapabilities = try scanner.skipValue(in: bytes)
            } else if key.isEqual("io.modelcontextprotocol/clientInfo", in: bytes) {
                try refuseDuplicate(clientInfo, key)
                clientInfo = try scanner.skipValue(in: bytes)
            } else if key.isEqual("io.modelcontextprotocol/logLevel", in: bytes) {
                try refuseDuplicate(logLevel, key)
                logLevel = try scanner.string(in: bytes)
            } else if key.isEqual("progressToken", in: bytes) {
                try refuseDuplicate(progressToken, key)
                progressToken = try scanner.skipValue(in: bytes)
            } else {
                try scanner.skipValue(in: bytes)
                others.append(key.range.lowerBound - 1..<scanner.position)
            }
        }
    }
}

extension Message.Result {
    fileprivate init(next scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        range = scanner.position..<scanner.position
        let start = scanner.position
        try scanner.beginObject(in: bytes)
        var memberEnd = scanner.position
        while let key = try scanner.nextKey(in: bytes) {
            isEmpty = false
            let before = memberEnd
            if key.isEqual("resultType", in: bytes) {
                try refuseDuplicate(resultType, key)
                resultType = try scanner.string(in: bytes)
                modernMembers.append(before..<scanner.position)
            } else if key.isEqual("_meta", in: bytes) {
                try refuseDuplicate(meta, key)
                try scanMeta(&scanner, in: bytes)
            } else if key.isEqual("ttlMs", in: bytes) {
                try refuseDuplicate(ttlMs, key)
                ttlMs = try scanner.skipValue(in: bytes)
                modernMembers.append(before..<scanner.position)
            } else if key.isEqual("structuredContent", in: bytes) {
                hasStructuredContent = true
                // Until 2025-11-25 it is an object; since then any value.
                if try scanner.skipValue(in: bytes).kind != .object { modernMembers.append(before..<scanner.position) }
            } else if key.isEqual("cacheScope", in: bytes) {
                try refuseDuplicate(cacheScope, key)
                cacheScope = try scanner.skipValue(in: bytes)
                modernMembers.append(before..<scanner.position)
            } else if key.isEqual("content", in: bytes) {
                try content.note(key, try Form(arrayWith: "type", next: &scanner, in: bytes))
            } else if key.isEqual("isError", in: bytes) {
                try isError.note(key, Form(try scanner.skipValue(in: bytes).kind == .bool))
            } else if key.isEqual("messages", in: bytes) {
                try messages.note(key, try Form(arrayWith: "role", next: &scanner, in: bytes))
            } else if key.isEqual("contents", in: bytes) {
                try contents.note(key, try Form(arrayWith: "uri", next: &scanner, in: bytes))
            } else if key.isEqual("task", in: bytes) {
                try task.note(key, Form(try scanner.skipValue(in: bytes).kind == .object))
            } else if key.isEqual("completion", in: bytes) {
                try refuseDuplicate(completion, key)
                completion = try scanner.skipValue(in: bytes)
            } else {
                try scanner.skipValue(in: bytes)
            }
            memberEnd = scanner.position
        }
        range = start..<scanner.position
    }

    private mutating func scanMeta(_ scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        guard try scanner.nextKind(in: bytes) == .object else {
            meta = try scanner.skipValue(in: bytes)
            return
        }
        let start = scanner.position
        try scanner.beginObject(in: bytes)
        while let key = try scanner.nextKey(in: bytes) {
            isMetaEmpty = false
            hasServerInfo = hasServerInfo || key.isEqual("io.modelcontextprotocol/serverInfo", in: bytes)
            try scanner.skipValue(in: bytes)
        }
        meta = JSONExtent(kind: .object, range: start..<scanner.position)
    }
}

extension Message.Result.Form {
    fileprivate init(_ isSound: Bool) { self = isSound ? .sound : .unsound }

    /// Of what comes next: sound is an array of objects, each with that member, a string.
    fileprivate init(arrayWith member: StaticString, next scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) {
        guard try scanner.nextKind(in: bytes) == .array else {
            try scanner.skipValue(in: bytes)
            self = .unsound
            return
        }
        self = .sound
        try scanner.beginArray(in: bytes)
        while try scanner.nextElement(in: bytes) {
            guard try scanner.nextKind(in: bytes) == .object else {
                try scanner.skipValue(in: bytes)
                self = .unsound
                continue
            }
            var isWhole = false
            try scanner.beginObject(in: bytes)
            while let key = try scanner.nextKey(in: bytes) {
                if try scanner.skipValue(in: bytes).kind == .string, key.isEqual(member, in: bytes) { isWhole = true }
            }
            if !isWhole { self = .unsound }
        }
    }

    fileprivate mutating func note(_ key: JSONText, _ form: Self) throws(JSONError) {
        guard self == .missing else { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
        self = form
    }
}
