import JSON
import MCPProtocol
import Network

/// The tasks of one `subscriptions/listen`: the gateway looks at them for its client, as the client would, so that every upstream's tasks can be
/// followed, whatever that upstream announces itself (io.modelcontextprotocol/tasks, "Task Status Notifications").
struct TaskFollowing {
    /// Of one subscription.
    static let countMax = 64
    /// The time between two looks, in milliseconds; within these bounds the upstream suggests it.
    private static let pollInterval = 500...10_000
    private static let usualPollInterval = 1_000

    private let service: any CallService
    private let call: Call
    /// How each stands as it was told last, by id; those that have ended are not looked at any more.
    private var told: [String: JSONValue] = [:]

    /// Looks at them for the first time; `cancellation` ends that, and `run`.
    init(_ ids: [String], for call: Call, by service: any CallService, until cancellation: Cancellation) async {
        self.service = service
        self.call = call.cancelled(by: cancellation)
        for id in ids { told[id] = await look(at: id) }
    }

    /// Those that the client may follow, each in a `DetailedTask`.
    var tasks: [String: JSONValue] { told }

    /// Tells how they stand, and how whenever that has changed, until all have ended.
    consuming func run(_ tell: (JSONValue) -> Void) async {
        for task in told.values { tell(task) }
        let over = Mailbox<Bool>(capacity: 1)
        call.cancellation.whenCancelled { over.close() }
        while true {
            told = told.filter { !Self.hasEnded($0.value) }
            guard !told.isEmpty, case .timedOut = await over.next(within: interval), !call.cancellation.isCancelled else { return }
            for (id, last) in told {
                let task = await look(at: id)
                told[id] = task
                if let task, task != last { tell(task) }
            }
            call.cancellation.whenCancelled { over.close() }
        }
    }

    private var interval: Duration {
        let wanted = told.values.map { $0["pollIntervalMs"]?.integer ?? Self.usualPollInterval }.min() ?? Self.usualPollInterval
        return .milliseconds(min(max(wanted, Self.pollInterval.lowerBound), Self.pollInterval.upperBound))
    }

    private static func hasEnded(_ task: JSONValue) -> Bool { ["completed", "failed", "cancelled"].contains(task["status"]?.string) }

    /// nil for what the client may not follow, or can't be known now.
    private func look(at id: String) async -> JSONValue? {
        let method = MCPProtocol.Method.getTask.rawValue
        let request: JSONValue = ["jsonrpc": "2.0", "id": 0, "method": .string(method), "params": ["taskId": .string(id)]]
        guard let message = try? Message(scanning: request.bytes), let reply = await service.answer(call.asking(message), to: SilentChannel()),
            var task = (try? JSONValue(parsing: reply.bytes))?["result"]
        else { return nil }
        task["resultType"] = nil
        task["_meta"] = nil
        return task
    }
}
