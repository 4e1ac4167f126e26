import JSON
import Network

/// What a modern request must carry.
enum ModernCheck {
    /// The body's `_meta` (MCP 2026-07-28 basic/index): −32022 for another revision, −32602 for what is missing.
    static func body(of message: Incoming, supported: [String]) throws(Fault) {
        // A client that opens with a handshake learns from the error what is spoken here.
        if message.method == "initialize", !message.isModern { throw .unsupported(message.protocolVersion ?? "", supported: supported) }
        guard let version = message.metaVersion else {
            throw .invalidParams("“_meta” lacks io.modelcontextprotocol/protocolVersion.", status: 400)
        }
        guard version == Revision.modern else { throw .unsupported(version, supported: supported) }
        guard message.hasMetaCapabilities else {
            throw .invalidParams("“_meta” lacks io.modelcontextprotocol/clientCapabilities.", status: 400)
        }
    }

    /// The fields that mirror the body (basic/transports/streamable-http, “Server Validation”): −32020 where they don't.
    static func fields(_ headers: HTTPHeaders, mirror message: Incoming, of server: SampleServer) throws(Fault) {
        guard let version = headers["mcp-protocol-version"] else { throw .headerMismatch("MCP-Protocol-Version is missing") }
        if let body = message.metaVersion, body != version { throw .headerMismatch("MCP-Protocol-Version is not the version of the body") }
        guard headers["mcp-method"] == message.method else { throw .headerMismatch("Mcp-Method is not the method of the body") }
        guard message.method == "tools/call" else { return }
        guard let name = headers["mcp-name"].flatMap(FieldText.decode), name == message.name else {
            throw .headerMismatch("Mcp-Name is not the name in the body")
        }
        let mirrored = server.mirroredArguments(of: message.name)
        if !mirrored.isEmpty { try check(mirrored, headers, message) }
    }

    private static func check(_ mirrored: [(field: String, argument: String)], _ headers: HTTPHeaders, _ message: Incoming) throws(Fault) {
        var arguments = JSONValue.object([])
        if let range = message.arguments {
            do throws(JSONError) { arguments = try JSONValue(parsing: range, of: message.bytes) } catch { throw .parse }
        }
        for (field, argument) in mirrored {
            let sent = headers[named: field]
            let value: String? =
                switch arguments[argument] {
                case .string(let text)?: text
                case .number(let text)?: text
                case .bool(let flag)?: flag ? "true" : "false"
                default: nil
                }
            guard sent.flatMap(FieldText.decode) == value else { throw .headerMismatch("\(field) is not the argument “\(argument)” of the body") }
        }
    }
}

/// The text of a field that may be wrapped as `=?base64?…?=`.
enum FieldText {
    /// Nil when the wrapping is broken.
    static func decode(_ text: String) -> String? {
        guard text.hasPrefix("=?base64?"), text.hasSuffix("?="), text.utf8.count >= 11 else { return text }
        return decodeBase64(text.utf8.dropFirst(9).dropLast(2)).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// RFC 4648 §4, with padding.
    private static func decodeBase64(_ text: Substring.UTF8View.SubSequence) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let digits = text.prefix { $0 != UInt8(ascii: "=") }
        guard text.count - digits.count <= 2, text.dropFirst(digits.count).allSatisfy({ $0 == UInt8(ascii: "=") }) else { return nil }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            guard let value = value(of: digit) else { return nil }
            bits = bits << 6 | value
            if index % 4 != 0 { result.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * (index % 4)))) }
        }
        return result
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
