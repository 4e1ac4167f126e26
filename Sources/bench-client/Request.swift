/// The revision that the client speaks.
enum Era: String, Sendable {
    case modern, legacy

    var revision: String { self == .modern ? "2026-07-28" : "2025-11-25" }
}

/// What is asked for, over and over.
enum Work: String, Sendable {
    case call, large, list
}

/// A request that is rendered once; only its eight-digit id changes.
struct Request {
    private static let idPlace = "@@@@@@@@"

    private(set) var bytes: [UInt8]
    private let idOffset: Int

    private init(_ text: String) {
        let bytes = Array(text.utf8)
        let place = Array(Self.idPlace.utf8)
        idOffset = bytes.indices.first { bytes[$0...].starts(with: place) } ?? 0
        self.bytes = bytes
    }

    /// `id` has eight digits.
    mutating func setID(_ id: Int) {
        var rest = id
        for index in stride(from: idOffset + 7, through: idOffset, by: -1) {
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    // MARK: Messages

    /// The message that is measured, without a newline.
    static func message(_ work: Work, tool: String?, _ era: Era) -> Request { Request(body(work, tool: tool, era)) }

    static func initialize() -> Request { Request(opening) }

    static func discover() -> Request {
        Request(#"{"jsonrpc":"2.0","id":\#(idPlace),"method":"server/discover","params":{\#(meta)}}"#)
    }

    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    // MARK: HTTP

    static func http(_ work: Work, tool: String?, _ era: Era, to target: Target, session: String?) -> Request {
        var fields: [String] = []
        switch era {
        case .modern:
            fields.append("Mcp-Method: \(work == .list ? "tools/list" : "tools/call")")
            if work != .list { fields.append("Mcp-Name: \(name(work, tool))") }
        case .legacy:
            if let session { fields.append("Mcp-Session-Id: \(session)") }
        }
        fields.append("MCP-Protocol-Version: \(era.revision)")
        return post(body(work, tool: tool, era), fields, to: target)
    }

    static func httpInitialize(to target: Target) -> Request { post(opening, [], to: target) }

    static func httpInitialized(to target: Target, session: String?) -> Request {
        post(initialized, ["MCP-Protocol-Version: \(Era.legacy.revision)"] + (session.map { ["Mcp-Session-Id: \($0)"] } ?? []), to: target)
    }

    static func httpStream(to target: Target, session: String?) -> Request {
        let session = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
        let token = target.token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return Request(
            """
            GET \(target.path) HTTP/1.1\r\nHost: \(target.host):\(target.port)\r\nAccept: text/event-stream\r\n\
            MCP-Protocol-Version: \(Era.legacy.revision)\r\n\(session)\(token)\r\n
            """)
    }

    private static func post(_ body: String, _ fields: [String], to target: Target) -> Request {
        let fields = fields + (target.token.map { ["Authorization: Bearer \($0)"] } ?? [])
        return Request(
            """
            POST \(target.path) HTTP/1.1\r\nHost: \(target.host):\(target.port)\r\nContent-Type: application/json\r\n\
            Accept: application/json, text/event-stream\r\n\(fields.map { $0 + "\r\n" }.joined())Content-Length: \(body.utf8.count)\r\n\r\n\(body)
            """)
    }

    // MARK: Bodies

    private static let meta = """
        "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},\
        "io.modelcontextprotocol/clientCapabilities":{}}
        """
    private static let opening = """
        {"jsonrpc":"2.0","id":\(idPlace),"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"bench","version":"1"}}}
        """

    private static func name(_ work: Work, _ tool: String?) -> String { tool ?? (work == .large ? "large" : "echo") }

    private static func body(_ work: Work, tool: String?, _ era: Era) -> String {
        let meta = era == .modern ? "," + meta : ""
        switch work {
        case .list: return #"{"jsonrpc":"2.0","id":\#(idPlace),"method":"tools/list","params":{\#(meta.dropFirst())}}"#
        case .large: return call(name(work, tool), "{}", meta)
        case .call: return call(name(work, tool), #"{"text":"What the agent has to say about the matter at hand, in one line."}"#, meta)
        }
    }

    private static func call(_ name: String, _ arguments: String, _ meta: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(idPlace),"method":"tools/call","params":{"name":"\#(name)","arguments":\#(arguments)\#(meta)}}"#
    }
}
