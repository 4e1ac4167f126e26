import Configuration
import JSON
import MCPProtocol
import Network
import Transport

/// The demo's scripted client: a client like any other, over HTTP, telling what it sees.
struct DemoScript: Sendable {
    let stage: DemoStage
    let address: ListenAddress
    let loop: EventLoop

    init(stage: DemoStage, address: ListenAddress, loop: EventLoop) {
        self.stage = stage
        self.address = address
        self.loop = loop
    }

    private var url: String { "http://\(address.authority)/help-desk/mcp" }

    /// Plays the whole script; false when something did not go as it must.
    func play() async -> Bool {
        let client = HTTPClient(loop: loop)
        do {
            say("Switchboard: one MCP server in front of many.")
            say("")
            say("These MCP servers are running, real ones, each speaking its own dialect:")
            say("  tickets      streamable HTTP, revision 2026-07-28 (stateless)   list, create, close tickets")
            say("  notes        stdio child,     revision 2025-11-25 (sessions)    add, search, delete notes")
            say("  calculator   stdio child,     revision 2026-07-28               add, multiply, …")
            say(stage.notice ?? "  time         stdio child, mcp-server-time from PyPI             what time is it")
            say("")
            say("A team writes down what its agents need, and no more (virtual-servers/help-desk.yaml):")
            for line in DemoStage.virtualServer.split(separator: "\n") { say("  │ \(line)") }
            say("")
            let tools = try await ask(client, "tools/list", [:])["tools"]?.array ?? []
            say("An agent connects to \(url), and this is all it sees:")
            for tool in tools { say("  \(describe(tool))") }
            say("  (notes.delete_note, tickets.close_ticket: not there. project and draft: not there. priority: two values.)")
            say("")
            let filed = try await call(client, "report_problem", ["title": "Printer on fire", "priority": "normal"])
            say("It calls report_problem(title: \"Printer on fire\", priority: \"normal\"); tickets gets project=DESK besides:")
            say("  → \(text(of: filed))")
            let sum = try await call(client, "calculator_add", ["a": 19, "b": 23])
            say("The same client, another server behind it: calculator_add(19, 23)")
            say("  → \(text(of: sum))")
            say("")
            say("It is talked into more than it may:")
            try await refused(client, "report_problem", ["title": "Urgent!!", "priority": "urgent"], as: "priority: \"urgent\"")
            try await refused(client, "report_problem", ["title": "x", "priority": "low", "project": "PAY"], as: "project: \"PAY\"")
            try await refused(client, "notes_delete_note", ["id": 1], as: "notes_delete_note")
            say("")
            let version = try await greetAsOldClient(client)
            say("An older client at the same address greets with `initialize` and gets a session of \(version): nothing to configure.")
            say("")
            return true
        } catch {
            printError("the demo did not go as it should: \(error)")
            return false
        }
    }

    func explainHowToConnect() {
        say("It keeps serving. Connect your own client; all of this, its configuration too, is there as long as the demo runs:")
        say("  Claude Code      claude mcp add --transport http help-desk \(url)")
        say("  Claude Desktop   \"help-desk\": { \"command\": \"\(stage.program)\",")
        say("                     \"args\": [\"stdio\", \"--config\", \"\(stage.configuration)\", \"--server\", \"help-desk\"] }")
        say("  State            curl http://\(address.authority)/readyz")
        say("")
        say("Ctrl-C ends it and everything it started.")
    }

    // MARK: - The client

    private struct Surprise: Error, CustomStringConvertible {
        let description: String
    }

    private func call(_ client: HTTPClient, _ tool: String, _ arguments: JSONValue) async throws -> JSONValue {
        let result = try await ask(client, "tools/call", ["name": .string(tool), "arguments": arguments])
        guard result["isError"] != true else { throw Surprise(description: "\(tool) failed: \(text(of: result))") }
        return result
    }

    private func refused(_ client: HTTPClient, _ tool: String, _ arguments: JSONValue, as what: String) async throws {
        let answer = try await post(client, "tools/call", ["name": .string(tool), "arguments": arguments])
        guard let message = answer["error"]?["message"]?.string else { throw Surprise(description: "\(what) was not refused") }
        say("  \(what) → refused: \(message)")
    }

    private func ask(_ client: HTTPClient, _ method: String, _ params: JSONValue) async throws -> JSONValue {
        let answer = try await post(client, method, params)
        guard let result = answer["result"] else { throw Surprise(description: "\(method): \(answer.text)") }
        return result
    }

    private func post(_ client: HTTPClient, _ method: String, _ params: JSONValue) async throws -> JSONValue {
        var params = params
        params["_meta"] = .object([
            .init(MetaKey.protocolVersion, .string(Revision.latestModern.rawValue)), .init(MetaKey.clientCapabilities, [:]),
            .init(MetaKey.clientInfo, ["name": "demo", "version": "1"]),
        ])
        var fields = [("MCP-Protocol-Version", Revision.latestModern.rawValue), ("Mcp-Method", method)]
        if let name = params["name"]?.string { fields.append(("Mcp-Name", name)) }
        return try await send(client, ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params], fields)
    }

    private func greetAsOldClient(_ client: HTTPClient) async throws -> String {
        let params: JSONValue = ["protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "older", "version": "1"]]
        let answer = try await send(client, ["jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params], [])
        guard let version = answer["result"]?["protocolVersion"]?.string else { throw Surprise(description: "initialize: \(answer.text)") }
        return version
    }

    private func send(_ client: HTTPClient, _ message: JSONValue, _ fields: [(String, String)]) async throws -> JSONValue {
        let common = [("Content-Type", "application/json"), ("Accept", "application/json")]
        let origin = HTTPOrigin(isTLS: false, host: address.host, port: UInt16(clamping: address.port))
        let request = HTTPClientRequest(.post, origin, "/help-desk/mcp", fields: common + fields, body: message.bytes)
        let response = try await client.send(request, within: .seconds(30))
        return try JSONValue(parsing: try await response.body(within: .seconds(30)))
    }

    // MARK: - Telling

    private func say(_ line: String) { FileHandleWriter.standardOutput(line + "\n") }

    private func text(of result: JSONValue) -> String {
        (result["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ").split(separator: "\n").joined(separator: " ")
    }

    private func describe(_ tool: JSONValue) -> String {
        let arguments = (tool["inputSchema"]?["properties"]?.members ?? []).map { property in
            property.key + (property.value["enum"]?.array.map { ": " + $0.map { $0.string ?? $0.text }.joined(separator: "|") } ?? "")
        }
        return "\(tool["name"]?.string ?? "")(\(arguments.joined(separator: ", ")))"
    }
}
