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

    /// Plays the whole script; false when something did not go as it must.
    func play() async -> Bool {
        let client = DemoClient(address: address, server: "help-desk", http: HTTPClient(loop: loop))
        do {
            say("Switchboard: one MCP server in front of many.")
            say("")
            say("These MCP servers are running, real ones, each speaking its own dialect:")
            say("  tickets      streamable HTTP, revision 2026-07-28 (stateless)   list, create, close tickets")
            say("  github       streamable HTTP, revision 2026-07-28, wants a token    list pull requests, comment, delete branches")
            say("  notes        stdio child,     revision 2025-11-25 (sessions)    add, search, delete notes")
            say("  calculator   stdio child,     revision 2026-07-28               add, multiply, …")
            say(stage.notice ?? "  time         stdio child, mcp-server-time from PyPI             what time is it")
            say("")
            say("A team writes down what its agents need, and no more (virtual-servers/help-desk.yaml):")
            for line in DemoStage.virtualServer.split(separator: "\n") { say("  │ \(line)") }
            say("")
            let tools = try await client.tools()
            say("An agent connects to \(client.url), and this is all it sees:")
            for tool in tools { say("  \(describe(tool))") }
            say("  (notes.delete_note, tickets.close_ticket: not there. project and draft: not there. priority: two values.)")
            say("")
            let filed = try await client.call("report_problem", ["title": "Printer on fire", "priority": "normal"])
            say("It calls report_problem(title: \"Printer on fire\", priority: \"normal\"); tickets gets project=DESK besides:")
            say("  → \(filed)")
            let sum = try await client.call("calculator_add", ["a": 19, "b": 23])
            say("The same client, another server behind it: calculator_add(19, 23)")
            say("  → \(sum)")
            say("")
            say("It is talked into more than it may:")
            say("  priority: \"urgent\" → refused: \(try await client.refusal("report_problem", ["title": "Urgent!!", "priority": "urgent"]))")
            say("  project: \"PAY\" → refused: \(try await client.refusal("report_problem", ["title": "x", "priority": "low", "project": "PAY"]))")
            say("  notes_delete_note → refused: \(try await client.refusal("notes_delete_note", ["id": 1]))")
            say("")
            let version = try await client.greetAsOldClient()
            say("An older client at the same address greets with `initialize` and gets a session of \(version): nothing to configure.")
            say("")
            let agent = DemoClient(address: address, server: "review", key: stage.agentKey, http: client.http)
            try await ReviewScene(stage: stage, agent: agent, loop: loop).play(say: say)
            return true
        } catch {
            printError("the demo did not go as it should: \(error)")
            return false
        }
    }

    func explainHowToConnect() {
        say("It keeps serving. Connect your own client; all of this, its configuration too, is there as long as the demo runs:")
        say("  Claude Code      claude mcp add --transport http help-desk http://\(address.authority)/help-desk/mcp")
        say("  Claude Desktop   \"help-desk\": { \"command\": \"\(stage.program)\",")
        say("                     \"args\": [\"stdio\", \"--config\", \"\(stage.configuration)\", \"--server\", \"help-desk\"] }")
        say("  State            curl http://\(address.authority)/readyz")
        say("")
        say("Ctrl-C ends it and everything it started.")
    }

    // MARK: - Telling

    private func say(_ line: String) { FileHandleWriter.standardOutput(line + "\n") }

    private func describe(_ tool: JSONValue) -> String {
        let arguments = (tool["inputSchema"]?["properties"]?.members ?? []).map { property in
            property.key + (property.value["enum"]?.array.map { ": " + $0.map { $0.string ?? $0.text }.joined(separator: "|") } ?? "")
        }
        return "\(tool["name"]?.string ?? "")(\(arguments.joined(separator: ", ")))"
    }
}
