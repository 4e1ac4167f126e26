import JSON
import MCPProtocol
import Network

/// Checks that make a request of 2026-07-28 acceptable.
enum ModernRequest {
    /// Whether a request is a modern one; any sign of it counts, so that a half-formed modern request gets a modern error.
    static func isMeant(by message: Message, header: String?) -> Bool {
        if message.params.meta?.protocolVersion != nil { return true }
        guard let header else { return false }
        return Revision(rawValue: header).map { $0.era == .modern } ?? true
    }

    /// The metadata that every request must carry (MCP 2026-07-28 basic/index, "Per-request protocol fields"), then that header and body
    /// agree (streamable-http, "Server Validation"), then the version. `headers` is nil where the transport has none.
    static func check(_ message: Message, headers: HTTPHeaders?) throws(ProtocolError) -> (capabilities: [UInt8], logLevel: LogLevel?) {
        if let defect = message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        guard let meta = message.params.meta else {
            let keys = "`\(MetaKey.protocolVersion)` and `\(MetaKey.clientCapabilities)`"
            throw ProtocolError(.invalidParams, "Invalid params: `_meta` with \(keys) is missing")
        }
        guard let version = meta.protocolVersion else {
            throw ProtocolError(.invalidParams, "Invalid params: `_meta` lacks `\(MetaKey.protocolVersion)`")
        }
        guard let capabilities = meta.clientCapabilities, capabilities.kind == .object else {
            throw ProtocolError(.invalidParams, "Invalid params: `_meta` lacks `\(MetaKey.clientCapabilities)`, an object")
        }
        let requested = message.text(version)
        if let headers { try check(headers, against: message, version: requested) }
        guard Revision(rawValue: requested)?.era == .modern else { throw .unsupportedVersion(requested: requested) }
        var level: LogLevel?
        if let text = message.text(meta.logLevel) {
            level = LogLevel(rawValue: text)
            guard level != nil else {
                throw ProtocolError(.invalidParams, "Invalid params: “\(text.prefix(40))” is no log level; use one of \(LogLevel.list)")
            }
        }
        return (Array(message.bytes[capabilities.range]), level)
    }

    private static func check(_ headers: HTTPHeaders, against message: Message, version: String) throws(ProtocolError) {
        try check("MCP-Protocol-Version", headers, "mcp-protocol-version", is: version)
        try check("Mcp-Method", headers, "mcp-method", is: message.methodText)
        // A method that this era no longer has is unknown, whatever its headers are.
        guard message.method?.isNamed == true, message.method != .taskResult, let name = message.text(message.mirroredName) else { return }
        if headers.isExactly("mcp-name", name), headers.count(of: "mcp-name") == 1, !name.hasPrefix("=?") { return }
        let sent = headers["mcp-name"]
        guard headers.count(of: "mcp-name") <= 1 else { throw mismatch("Mcp-Name stands there twice") }
        guard let sent else { throw mismatch("the header Mcp-Name is missing") }
        guard let decoded = HeaderParameter.decode(sent) else { throw mismatch("the header Mcp-Name is malformed") }
        guard decoded == name else { throw mismatch("Mcp-Name “\(decoded.prefix(100))” does not match “\(name.prefix(100))” in the body") }
    }

    private static func check(_ name: String, _ headers: HTTPHeaders, _ key: StaticString, is value: String) throws(ProtocolError) {
        guard headers.count(of: key) <= 1 else { throw mismatch("\(name) stands there twice") }
        if headers.isExactly(key, value) { return }
        guard let sent = headers[key] else { throw mismatch("the header \(name) is missing") }
        throw mismatch("\(name) “\(sent.prefix(100))” does not match “\(value.prefix(100))” in the body")
    }

    static func mismatch(_ what: String) -> ProtocolError { ProtocolError(.headerMismatch, "Header mismatch: \(what)") }
}

extension LogLevel {
    static let list = allCases.map(\.rawValue).joined(separator: ", ")
}
