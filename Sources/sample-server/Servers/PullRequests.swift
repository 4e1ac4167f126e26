import JSON
import Synchronization

/// A small code forge, kept in memory: something that an agent may read and comment on, and whose branches it must leave alone.
final class PullRequests: Sendable {
    private struct State {
        var comments: [String] = []
        var branches: Set<String> = ["main", "search-focus", "dark-mode"]
    }

    private static let commentsMax = 10_000
    private static let pulls: [JSONValue] = [
        ["number": 7, "title": "Keep the focus in the search field", "branch": "search-focus"],
        ["number": 8, "title": "Dark mode for the settings page", "branch": "dark-mode"],
    ]

    private let state = Mutex(State())

    /// The tools of a new forge.
    static func tools() -> [Tool] {
        let forge = PullRequests()
        return [
            Tool(
                name: "list_pull_requests", title: "List pull requests", description: "The open pull requests.",
                hints: .init(isReadOnly: true, isIdempotent: true), input: Schema.object([]),
                action: .quick { _ in ToolResult(text: lines, data: ["pull_requests": .array(pulls)]) }),
            Tool(
                name: "add_comment", title: "Comment", description: "Comment on a pull request.",
                input: Schema.object(
                    [("number", Schema.integer("Of the pull request.", in: 1...1_000_000)), ("body", Schema.string("What to say."))],
                    required: ["number", "body"]),
                action: .quick { (call) throws(ToolFailure) in try forge.comment(call) }),
            Tool(
                name: "delete_branch", title: "Delete a branch", description: "Delete a branch for good.", hints: .init(isDestructive: true),
                input: Schema.object([("branch", Schema.string("Its name."))], required: ["branch"]),
                action: .quick { (call) throws(ToolFailure) in try forge.delete(call) }),
        ]
    }

    private static var lines: String {
        pulls.map { "#\($0["number"]?.integer ?? 0) \($0["title"]?.string ?? "")" }.joined(separator: "\n")
    }

    private func comment(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let number = try call.integer("number", in: 1...1_000_000)
        guard Self.pulls.contains(where: { $0["number"]?.integer == number }) else { throw ToolFailure("There is no pull request #\(number).") }
        let body = try call.text("body", max: 10_000)
        let count = state.withLock { state -> Int? in
            guard state.comments.count < Self.commentsMax else { return nil }
            state.comments.append(body)
            return state.comments.count
        }
        guard count != nil else { throw ToolFailure("There are too many comments.") }
        return ToolResult(text: "Commented on #\(number).")
    }

    private func delete(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let branch = try call.text("branch", max: 200)
        guard state.withLock({ $0.branches.remove(branch) }) != nil else { throw ToolFailure("There is no branch “\(branch)”.") }
        return ToolResult(text: "Deleted \(branch).")
    }
}
