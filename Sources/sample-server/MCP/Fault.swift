import JSON

/// A JSON-RPC error, with the HTTP status that it travels under.
struct Fault: Error {
    let code: Int
    let message: String
    var data: JSONValue?
    var status = 200

    static let parse = Fault(code: -32700, message: "This is not a JSON text.", status: 400)
    static func invalidRequest(_ message: String) -> Fault { Fault(code: -32600, message: message, status: 400) }
    static func invalidParams(_ message: String, status: Int = 200) -> Fault { Fault(code: -32602, message: message, status: status) }

    /// MCP 2026-07-28 basic/transports/streamable-http: 404; earlier revisions: 200.
    static func unknownMethod(_ method: String, _ era: Era) -> Fault {
        Fault(code: -32601, message: "This server has no method “\(method)”.", status: era == .modern ? 404 : 200)
    }

    static func headerMismatch(_ message: String) -> Fault { Fault(code: -32020, message: "Header mismatch: " + message, status: 400) }

    static func unsupported(_ requested: String, supported: [String]) -> Fault {
        Fault(
            code: -32022, message: "This server speaks \(supported.joined(separator: ", ")).",
            data: ["supported": .array(supported.map { .string($0) }), "requested": .string(requested)], status: 400)
    }
}
