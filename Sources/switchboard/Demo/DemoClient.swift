import Configuration
import JSON
import MCPProtocol
import Network
import Transport

/// A client like any other, over HTTP, at one virtual server.
struct DemoClient {
    struct Surprise: Error, CustomStringConvertible {
        let description: String
    }

    let address: ListenAddress
    let server: String
    /// What it proves itself with, where it has something.
    var key: String?
    let http: HTTPClient

    var url: String { "http://\(address.authority)/\(server)/mcp" }

    func tools() async throws -> [JSONValue] { try await ask("tools/list", [:])["tools"]?.array ?? [] }

    /// The text of what the tool answers.
    func call(_ tool: String, _ arguments: JSONValue) async throws -> String {
        let result = try await ask("tools/call", ["name": .string(tool), "arguments": arguments])
        let text = (result["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
        guard result["isError"] != true else { throw Surprise(description: "\(tool) failed: \(text)") }
        return text.split(separator: "\n").joined(separator: ", ")
    }

    /// The message of the refusal; throws when the call is not refused.
    func refusal(_ tool: String, _ arguments: JSONValue) async throws -> String {
        let answer = try await post("tools/call", ["name": .string(tool), "arguments": arguments])
        guard let message = answer["error"]?["message"]?.string else { throw Surprise(description: "\(tool)\(arguments.text) was not refused") }
        return message
    }

    /// The revision that a client of 2025 gets when it greets with `initialize`.
    func greetAsOldClient() async throws -> String {
        let params: JSONValue = ["protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "older", "version": "1"]]
        let answer = try await send(["jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params], [])
        guard let version = answer["result"]?["protocolVersion"]?.string else { throw Surprise(description: "initialize: \(answer.text)") }
        return version
    }

    private func ask(_ method: String, _ params: JSONValue) async throws -> JSONValue {
        let answer = try await post(method, params)
        guard let result = answer["result"] else { throw Surprise(description: "\(method): \(answer.text)") }
        return result
    }

    private func post(_ method: String, _ params: JSONValue) async throws -> JSONValue {
        var params = params
        params["_meta"] = .object([
            .init(MetaKey.protocolVersion, .string(Revision.latestModern.rawValue)), .init(MetaKey.clientCapabilities, [:]),
            .init(MetaKey.clientInfo, ["name": "demo", "version": "1"]),
        ])
        var fields = [("MCP-Protocol-Version", Revision.latestModern.rawValue), ("Mcp-Method", method)]
        if let name = params["name"]?.string { fields.append(("Mcp-Name", name)) }
        return try await send(["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params], fields)
    }

    private func send(_ message: JSONValue, _ fields: [(String, String)]) async throws -> JSONValue {
        var fields = fields + [("Content-Type", "application/json"), ("Accept", "application/json")]
        if let key { fields.append(("Authorization", "Bearer \(key)")) }
        let origin = HTTPOrigin(isTLS: false, host: address.host, port: UInt16(clamping: address.port))
        let request = HTTPClientRequest(.post, origin, "/\(server)/mcp", fields: fields, body: message.bytes)
        let response = try await http.send(request, within: .seconds(30))
        return try JSONValue(parsing: try await response.body(within: .seconds(30)))
    }
}
