import JSON

/// The methods that the gateway knows; any other travels as text.
package enum Method: String, CaseIterable, Sendable {
    case callTool = "tools/call"
    case listTools = "tools/list"
    case initialize
    case ping
    case discover = "server/discover"
    case listen = "subscriptions/listen"
    case listPrompts = "prompts/list"
    case getPrompt = "prompts/get"
    case listResources = "resources/list"
    case listResourceTemplates = "resources/templates/list"
    case readResource = "resources/read"
    case subscribe = "resources/subscribe"
    case unsubscribe = "resources/unsubscribe"
    case complete = "completion/complete"
    case setLogLevel = "logging/setLevel"
    case getTask = "tasks/get"
    /// Until 2025-11-25.
    case taskResult = "tasks/result"
    /// Until 2025-11-25.
    case listTasks = "tasks/list"
    case cancelTask = "tasks/cancel"
    /// Since 2026-07-28.
    case updateTask = "tasks/update"
    case elicit = "elicitation/create"
    case sample = "sampling/createMessage"
    case listRoots = "roots/list"
    /// Until 2025-11-25.
    case rootsChanged = "notifications/roots/list_changed"
    case initialized = "notifications/initialized"
    case cancelled = "notifications/cancelled"
    case progress = "notifications/progress"
    case log = "notifications/message"
    /// Until 2025-11-25.
    case taskStatus = "notifications/tasks/status"
    /// Since 2026-07-28.
    case taskChanged = "notifications/tasks"
    case toolsChanged = "notifications/tools/list_changed"
    case promptsChanged = "notifications/prompts/list_changed"
    case resourcesChanged = "notifications/resources/list_changed"
    case resourceUpdated = "notifications/resources/updated"
    case elicitationCompleted = "notifications/elicitation/complete"
    case acknowledged = "notifications/subscriptions/acknowledged"

    /// The parameter that the `Mcp-Name` header mirrors (MCP 2026-07-28 basic/transports/streamable-http, "Standard Request Headers").
    package var isNamed: Bool { self == .callTool || self == .getPrompt || self == .readResource || isOfTask }

    /// Whether it is about one task, which `taskId` names (io.modelcontextprotocol/tasks, "Streamable HTTP: Routing Headers").
    package var isOfTask: Bool {
        switch self {
        case .getTask, .taskResult, .cancelTask, .updateTask: true
        default: false
        }
    }

    /// Whether a server asks a client by it.
    package var isQuestion: Bool { self == .elicit || self == .sample || self == .listRoots }

    init?(_ text: JSONText, in bytes: Span<UInt8>) {
        // By far the most frequent ones are told apart without making a String.
        if text.isEqual("tools/call", in: bytes) {
            self = .callTool
        } else if text.isEqual("tools/list", in: bytes) {
            self = .listTools
        } else {
            self.init(rawValue: text.string(in: bytes))
        }
    }
}
