import JSON
import Synchronization

/// A small issue tracker, kept in memory: something to narrow down with fixed, default, allowed and hidden arguments.
final class Tickets: Sendable {
    private struct State {
        var tickets = Ticket.examples
        var nextNumber = 4
    }

    private static let ticketsMax = 10_000
    private static let statuses = ["open", "closed"]
    private static let priorities = ["normal", "low", "high", "urgent"]

    private let state = Mutex(State())

    /// The tools of a new tracker.
    static func tools() -> [Tool] {
        let tickets = Tickets()
        let key = ("key", Schema.string("The ticket's key, e.g. WEB-1."))
        return [
            Tool(
                name: "list_tickets", title: "List tickets", description: "Tickets of all projects or of one.",
                hints: .init(isReadOnly: true, isIdempotent: true),
                input: Schema.object([
                    ("status", Schema.string("Only tickets in this state.", oneOf: statuses + ["all"], default: "open")),
                    ("project", Schema.string("Only tickets of this project.")),
                ]),
                output: Schema.object([("tickets", Schema.array(of: Ticket.schema, "By age, the oldest first."))], required: ["tickets"]),
                action: .quick { (call) throws(ToolFailure) in try tickets.list(call) }),
            Tool(
                name: "get_ticket", title: "Look at a ticket", description: "One ticket with all that is known of it.",
                hints: .init(isReadOnly: true, isIdempotent: true), input: Schema.object([key], required: ["key"]), output: Ticket.schema,
                action: .quick { (call) throws(ToolFailure) in try tickets.get(call) }),
            Tool(
                name: "create_ticket", title: "Create a ticket", description: "Open a ticket in a project.",
                input: Schema.object(
                    [
                        ("project", Schema.string("The project's key in capitals, e.g. WEB or OPS.", header: "Project")),
                        ("title", Schema.string("What is wrong or wanted, in one line.")),
                        ("priority", Schema.string("How soon it is needed.", oneOf: priorities, default: "normal")),
                        ("draft", Schema.boolean("A draft is seen by its author only.", default: false)),
                    ], required: ["project", "title"]),
                output: Ticket.schema, action: .quick { (call) throws(ToolFailure) in try tickets.create(call) }),
            Tool(
                name: "close_ticket", title: "Close a ticket", description: "Close a ticket for good.",
                hints: .init(isDestructive: true, isIdempotent: true), input: Schema.object([key], required: ["key"]), output: Ticket.schema,
                action: .quick { (call) throws(ToolFailure) in try tickets.close(call) }),
        ]
    }

    private func list(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let status = try call.choice("status", of: Self.statuses + ["all"])
        let project = try call.text("project", default: "", max: 10)
        let found = state.withLock { $0.tickets }.filter { ticket in
            (status == "all" || ticket.isOpen == (status == "open")) && (project.isEmpty || ticket.project == project)
        }
        let text = found.isEmpty ? "No tickets." : found.map(\.line).joined(separator: "\n")
        return ToolResult(text: text, data: ["tickets": .array(found.map(\.json))])
    }

    private func get(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let key = try call.text("key", max: 30)
        guard let ticket = state.withLock({ $0.tickets.first { $0.key == key } }) else { throw Self.unknown(key) }
        return ToolResult(text: ticket.line, data: ticket.json)
    }

    private func create(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let project = try call.text("project", max: 10)
        guard project.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else { throw ToolFailure("“project” must be in capital letters, e.g. WEB.") }
        let title = try call.text("title", max: 200)
        let priority = try call.choice("priority", of: Self.priorities)
        let isDraft = try call.flag("draft", default: false)
        let ticket = state.withLock { state -> Ticket? in
            guard state.tickets.count < Self.ticketsMax else { return nil }
            let ticket = Ticket(project: project, number: state.nextNumber, title: title, priority: priority, isDraft: isDraft)
            state.nextNumber += 1
            state.tickets.append(ticket)
            return ticket
        }
        guard let ticket else { throw ToolFailure("The tracker is full.") }
        return ToolResult(text: "Created \(ticket.line)", data: ticket.json)
    }

    private func close(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let key = try call.text("key", max: 30)
        let ticket = state.withLock { state -> Ticket? in
            guard let index = state.tickets.firstIndex(where: { $0.key == key }) else { return nil }
            state.tickets[index].isOpen = false
            return state.tickets[index]
        }
        guard let ticket else { throw Self.unknown(key) }
        return ToolResult(text: "Closed \(ticket.line)", data: ticket.json)
    }

    private static func unknown(_ key: String) -> ToolFailure { ToolFailure("There is no ticket “\(key)”; list_tickets tells which there are.") }
}
