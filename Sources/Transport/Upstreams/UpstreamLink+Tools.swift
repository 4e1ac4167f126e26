import Diagnostics
import JSON
import MCPProtocol

extension UpstreamLink {
    /// All pages of the upstream's list. Tools that can't be used are left out and named in the log.
    func tools(limits: UpstreamLimits, log: Log) async throws(UpstreamError) -> [ToolDefinition] {
        guard peer.capabilities["tools"] != nil else { return [] }
        var tools: [ToolDefinition] = []
        var names: Set<String> = []
        var cursor: String?
        for _ in 0..<limits.listPagesMax {
            var request = UpstreamRequest("tools/list")
            if let cursor {
                request.members.append("\"cursor\":")
                request.members.append(jsonString: cursor)
            }
            let answer = try await exchange(
                request, within: CallLimit(idle: limits.openingTime, total: limits.openingTime), cancellation: Cancellation(),
                onNotification: { _ in })
            guard let result = ListPage(answer, of: "tools") else {
                throw .violation("it answered `tools/list` with: \(excerpt(answer.bytes))")
            }
            for element in result.elements {
                do {
                    let parsed = try ToolDefinition(parsing: element)
                    let tool = peer.takesTasks ? parsed : parsed.withoutTasks
                    guard names.insert(tool.name).inserted else { continue }
                    tools.append(tool)
                } catch {
                    log.warning("lists \(error.reason); it is left out")
                }
            }
            guard let next = result.nextCursor else { return tools }
            guard next != cursor, tools.count < limits.listToolsMax else { break }
            cursor = next
        }
        log.warning("its tool list has no end; the first \(tools.count) tools are used")
        return tools
    }
}
