import JSON

/// A message from the client: where its parts lie, and the few that every answer needs.
struct Incoming: Sendable {
    let bytes: [UInt8]
    private(set) var id: Range<Int>?
    /// Empty for a response.
    private(set) var method = ""
    private(set) var name: String?
    private(set) var arguments: Range<Int>?
    private(set) var cursor: String?
    /// What an `initialize` asks for.
    private(set) var protocolVersion: String?
    /// The request that a `notifications/cancelled` is about.
    private(set) var cancelledID: Range<Int>?
    private(set) var progressToken: Range<Int>?
    /// `_meta["io.modelcontextprotocol/protocolVersion"]`: only modern requests have it.
    private(set) var metaVersion: String?
    private(set) var hasMetaCapabilities = false

    var isRequest: Bool { id != nil && !method.isEmpty }
    var isModern: Bool { metaVersion != nil }
    /// The id as JSON text.
    var idText: String { id.map(text) ?? "null" }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Validates the whole message; throws −32700 for what is no JSON, −32600 for what is no message.
    init(_ bytes: [UInt8]) throws(Fault) {
        self.bytes = bytes
        var scanner = JSONScanner()
        do throws(JSONError) {
            try scanMessage(&scanner, in: bytes.span)
            try scanner.end(in: bytes.span)
        } catch {
            throw Self.isJSON(bytes) ? .invalidRequest("This is no JSON-RPC message.") : .parse
        }
    }

    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner()
        do throws(JSONError) {
            try scanner.skipValue(in: bytes.span)
            try scanner.end(in: bytes.span)
            return true
        } catch {
            return false
        }
    }

    private mutating func scanMessage(_ scanner: inout JSONScanner, in span: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: span)
        while let key = try scanner.nextKey(in: span) {
            if key.isEqual("method", in: span) {
                method = try scanner.string(in: span).string(in: span)
            } else if key.isEqual("id", in: span) {
                let value = try scanner.skipValue(in: span)
                guard value.kind == .string || value.kind == .number else { throw JSONError(.wrongKind, at: value.range.lowerBound) }
                id = value.range
            } else if key.isEqual("params", in: span), try scanner.nextKind(in: span) == .object {
                try scanParameters(&scanner, in: span)
            } else {
                try scanner.skipValue(in: span)
            }
        }
    }

    private mutating func scanParameters(_ scanner: inout JSONScanner, in span: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: span)
        while let key = try scanner.nextKey(in: span) {
            if key.isEqual("_meta", in: span), try scanner.nextKind(in: span) == .object {
                try scanMeta(&scanner, in: span)
            } else if key.isEqual("arguments", in: span), try scanner.nextKind(in: span) == .object {
                arguments = try scanner.skipValue(in: span).range
            } else if key.isEqual("requestId", in: span) {
                cancelledID = try scanner.skipValue(in: span).range
            } else if try scanner.nextKind(in: span) != .string {
                try scanner.skipValue(in: span)
            } else if key.isEqual("name", in: span) {
                name = try scanner.string(in: span).string(in: span)
            } else if key.isEqual("cursor", in: span) {
                cursor = try scanner.string(in: span).string(in: span)
            } else if key.isEqual("protocolVersion", in: span) {
                protocolVersion = try scanner.string(in: span).string(in: span)
            } else {
                try scanner.skipValue(in: span)
            }
        }
    }

    private mutating func scanMeta(_ scanner: inout JSONScanner, in span: Span<UInt8>) throws(JSONError) {
        try scanner.beginObject(in: span)
        while let key = try scanner.nextKey(in: span) {
            let kind = try scanner.nextKind(in: span)
            if key.isEqual("io.modelcontextprotocol/protocolVersion", in: span), kind == .string {
                metaVersion = try scanner.string(in: span).string(in: span)
            } else if key.isEqual("io.modelcontextprotocol/clientCapabilities", in: span) {
                hasMetaCapabilities = kind == .object
                try scanner.skipValue(in: span)
            } else if key.isEqual("progressToken", in: span), kind == .string || kind == .number {
                progressToken = try scanner.skipValue(in: span).range
            } else {
                try scanner.skipValue(in: span)
            }
        }
    }
}
