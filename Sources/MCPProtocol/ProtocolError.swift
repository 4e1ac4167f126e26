import JSON

/// A JSON-RPC error's code (MCP 2026-07-28 basic/index, "Error Codes").
package struct ErrorCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let parse = ErrorCode(rawValue: -32700)
    package static let invalidRequest = ErrorCode(rawValue: -32600)
    package static let methodNotFound = ErrorCode(rawValue: -32601)
    package static let invalidParams = ErrorCode(rawValue: -32602)
    package static let internalError = ErrorCode(rawValue: -32603)
    /// Until 2025-11-25.
    package static let resourceNotFound = ErrorCode(rawValue: -32002)
    /// In 2025-11-25 only.
    package static let urlElicitationRequired = ErrorCode(rawValue: -32042)
    /// Since 2026-07-28.
    package static let headerMismatch = ErrorCode(rawValue: -32020)
    package static let missingClientCapability = ErrorCode(rawValue: -32021)
    package static let unsupportedVersion = ErrorCode(rawValue: -32022)

    /// The HTTP status that carries the error in the modern era; the legacy era answers requests with 200.
    package var httpStatus: Int {
        switch self {
        case .parse, .invalidRequest, .invalidParams, .headerMismatch, .missingClientCapability, .unsupportedVersion: 400
        case .methodNotFound: 404
        default: 200
        }
    }
}

/// An error as a client sees it: a code, a short text, perhaps data.
package struct ProtocolError: Error, Hashable, Sendable {
    package var code: ErrorCode
    package var message: String
    package var data: JSONValue?

    package init(_ code: ErrorCode, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// Error −32022 with the data that lets the client choose again.
    package static func unsupportedVersion(requested: String) -> ProtocolError {
        ProtocolError(
            .unsupportedVersion, "Unsupported protocol version",
            data: ["supported": .array(Revision.supported.map { .string($0.rawValue) }), "requested": .string(requested)])
    }

    package var json: JSONValue {
        var value: JSONValue = ["code": .number(String(code.rawValue)), "message": .string(message)]
        value["data"] = data
        return value
    }
}
