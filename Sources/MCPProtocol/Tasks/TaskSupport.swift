import JSON

/// Whether a tool of a legacy upstream may be called as a task (MCP 2025-11-25 basic/utilities/tasks, "Tool-Level Negotiation").
package enum TaskSupport: String, Sendable { case forbidden, optional, required }

extension ToolDefinition {
    /// What the tool says of itself; `forbidden` where it says nothing.
    package var taskSupport: TaskSupport { json["execution"]?["taskSupport"]?.string.flatMap(TaskSupport.init) ?? .forbidden }

    /// The definition as it holds where the upstream itself takes no tasks: what the tool says of them means nothing then.
    package var withoutTasks: ToolDefinition { saying(nil) }

    /// What clients see: the gateway waits for a task on behalf of those who know none, so none of its tools requires one.
    package var withOptionalTasks: ToolDefinition { taskSupport == .required ? saying(.optional) : self }

    private func saying(_ support: TaskSupport?) -> ToolDefinition {
        guard var execution = json["execution"], execution["taskSupport"] != nil else { return self }
        execution["taskSupport"] = support.map { .string($0.rawValue) }
        return (try? ToolDefinition(parsing: bytes.replacing(members: [("execution", execution)]))) ?? self
    }
}
