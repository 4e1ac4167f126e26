import JSON

/// What a peer says of a task, in either era's form, and its form in the other.
///
/// Legacy tasks have `ttl` and `pollInterval`, modern ones `ttlMs` and `pollIntervalMs`, and what came of them inside
/// (MCP 2025-11-25 basic/utilities/tasks, "Task"; io.modelcontextprotocol/tasks, "Tasks").
package struct TaskState: Sendable {
    package enum Status: String, Sendable {
        case working, completed, failed, cancelled
        case inputRequired = "input_required"

        package var isTerminal: Bool { self == .completed || self == .failed || self == .cancelled }
    }

    /// Longer ids can't be sealed into ours, which travel in a header.
    package static let idBytesMax = 512

    /// The peer's own id.
    package let id: String
    package let status: Status
    package let era: Era
    private let json: JSONValue

    /// nil for what is no task.
    package init?(_ json: JSONValue, era: Era) {
        guard let id = json["taskId"]?.string, (1...Self.idBytesMax).contains(id.utf8.count),
            let status = json["status"]?.string.flatMap(Status.init)
        else { return nil }
        self.id = id
        self.status = status
        self.era = era
        self.json = json
    }

    /// What it came to, where the modern form says so.
    package var result: JSONValue? { json["result"] }
    package var error: JSONValue? { json["error"] }
    /// Its peer's own words for how it stands, on one line.
    package var message: String? { json["statusMessage"]?.string.map { String($0.onOneLine.unicodeScalars.prefix(1_000)) } }
    /// What the upstream asks of the client, where the modern form says so.
    package var inputRequests: JSONValue? { json["inputRequests"] }
    /// Whether it asks nothing but what has those keys.
    package func isAnswered(by keys: Set<String>) -> Bool { inputRequests?.members?.allSatisfy { keys.contains($0.key) } ?? true }
    /// Time to live since its creation in milliseconds; nil for unlimited.
    package var ttl: Int? { (json["ttlMs"] ?? json["ttl"])?.milliseconds }
    /// Suggested time between two looks, in milliseconds.
    package var pollInterval: Int? { (json["pollIntervalMs"] ?? json["pollInterval"])?.milliseconds }

    /// The same under another id, as a `Task` of 2025-11-25 or a `DetailedTask` of the extension.
    package func json(for client: Era, id ours: String) -> JSONValue {
        var task = json
        task["taskId"] = .string(ours)
        if let text = task["statusMessage"]?.string { task["statusMessage"] = .string(text.naming(ours, insteadOf: id)) }
        if let error { task["error"] = error.naming(ours, insteadOf: id) }
        // It belongs to calls that are tried again; what a peer puts there is not sealed for the client.
        task["requestState"] = nil
        guard client != era else { return task }
        task["resultType"] = nil
        task["_meta"] = nil
        if client == .modern {
            task.rename("ttl", "ttlMs")
            task.rename("pollInterval", "pollIntervalMs")
            // Its questions come on the stream of `tasks/result` only.
            if status == .inputRequired { task["inputRequests"] = [:] }
        } else {
            for payload in ["result", "error", "inputRequests"] { task[payload] = nil }
            task.rename("ttlMs", "ttl")
            task.rename("pollIntervalMs", "pollInterval")
            if status == .completed, result?["isError"] == true { task["status"] = .string(Status.failed.rawValue) }
        }
        return task
    }

    /// A legacy task that asks nothing which its modern client could answer: none may be said to need input without saying which
    /// (io.modelcontextprotocol/tasks, "Task Polling").
    package func working(id ours: String) -> JSONValue {
        var task = json(for: .modern, id: ours)
        task["status"] = .string(Status.working.rawValue)
        task["inputRequests"] = nil
        return task
    }

    /// A legacy task that has ended, with what it came to: a modern client learns both at once.
    package func json(id ours: String, endedWith outcome: TaskOutcome) -> JSONValue {
        var task = json(for: .modern, id: ours)
        switch outcome {
        case .result(let result):
            task["status"] = .string(Status.completed.rawValue)
            task["result"] = result
        case .error(let error):
            task["status"] = .string(Status.failed.rawValue)
            task["error"] = error.naming(ours, insteadOf: id)
        }
        return task
    }
}

extension JSONValue {
    /// A result with the task's id under `_meta`; without one for nil.
    package func relatedToTask(_ id: String?) -> JSONValue {
        var result = self
        var meta = result["_meta"] ?? [:]
        meta[TaskExtension.relatedTask] = id.map { ["taskId": .string($0)] }
        result["_meta"] = meta.members?.isEmpty == true ? JSONValue?.none : meta
        return result
    }

    /// An error whose texts name the task as the client knows it.
    package func naming(_ ours: String, insteadOf theirs: String) -> JSONValue {
        switch self {
        case .string(let text): .string(text.naming(ours, insteadOf: theirs))
        case .array(let elements): .array(elements.map { $0.naming(ours, insteadOf: theirs) })
        case .object(let members): .object(members.map { .init($0.key, $0.value.naming(ours, insteadOf: theirs)) })
        default: self
        }
    }

    fileprivate var milliseconds: Int? { integer ?? double.flatMap { Int(exactly: $0.rounded(.up)) } }

    /// Durations of the extension are integers.
    fileprivate mutating func rename(_ old: String, _ new: String) {
        guard let value = self[old] else {
            if new == "ttlMs" || new == "ttl" { self[new] = self[new] ?? .null }
            return
        }
        self[old] = nil
        self[new] = value.milliseconds.map { .number(String($0)) } ?? .null
    }
}

extension String {
    /// An id so short that it may stand in a text for something else is left alone.
    fileprivate func naming(_ ours: String, insteadOf theirs: String) -> String {
        utf8.elementsEqual(theirs.utf8) ? ours : theirs.utf8.count < 6 ? self : replacing(theirs, with: ours)
    }
}
