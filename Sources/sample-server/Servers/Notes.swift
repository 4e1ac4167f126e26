import JSON
import Synchronization

/// A notebook, kept in memory.
final class Notes: Sendable {
    private struct Note {
        let id: Int
        let title: String
        let text: String

        var json: JSONValue { ["id": .number(String(id)), "title": .string(title), "text": .string(text)] }
    }

    private struct State {
        var notes = [
            Note(id: 1, title: "Release checklist", text: "Tag, build, write the changelog, tell support."),
            Note(id: 2, title: "Coffee", text: "The machine on the third floor takes oat milk."),
        ]
        var nextID = 3
    }

    private static let notesMax = 10_000
    private static let noteSchema = Schema.object(
        [
            ("id", Schema.integer("The note's number.", in: 1...Int(Int32.max))), ("title", Schema.string("The title.")),
            ("text", Schema.string("The text.")),
        ], required: ["id", "title", "text"])
    private static let listSchema = Schema.object([("notes", Schema.array(of: noteSchema, "The notes, the oldest first."))], required: ["notes"])

    private let state = Mutex(State())

    /// The tools of a new notebook.
    static func tools() -> [Tool] {
        let notes = Notes()
        return [
            Tool(
                name: "add_note", title: "Add a note", description: "Write a note down.",
                input: Schema.object(
                    [("title", Schema.string("A short title.")), ("text", Schema.string("The note."))], required: ["title", "text"]),
                output: noteSchema, action: .quick { (call) throws(ToolFailure) in try notes.add(call) }),
            Tool(
                name: "list_notes", title: "List the notes", description: "All notes, the oldest first.",
                hints: .init(isReadOnly: true, isIdempotent: true), input: Schema.object([]), output: listSchema,
                action: .quick { _ in notes.list() }),
            Tool(
                name: "search_notes", title: "Search the notes", description: "The notes whose title or text has these words in it.",
                hints: .init(isReadOnly: true, isIdempotent: true),
                input: Schema.object([("query", Schema.string("The words to look for."))], required: ["query"]), output: listSchema,
                action: .quick { (call) throws(ToolFailure) in try notes.search(call) }),
            Tool(
                name: "delete_note", title: "Delete a note", description: "Throw a note away. It cannot be had back.",
                hints: .init(isDestructive: true, isIdempotent: true),
                input: Schema.object([("id", Schema.integer("The note's number.", in: 1...Int(Int32.max)))], required: ["id"]),
                output: Schema.object([("deleted", Schema.integer("The note's number.", in: 1...Int(Int32.max)))], required: ["deleted"]),
                action: .quick { (call) throws(ToolFailure) in try notes.delete(call) }),
        ]
    }

    private func add(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let title = try call.text("title", max: 200)
        let text = try call.text("text", max: 10_000)
        let note = state.withLock { state -> Note? in
            guard state.notes.count < Self.notesMax else { return nil }
            let note = Note(id: state.nextID, title: title, text: text)
            state.nextID += 1
            state.notes.append(note)
            return note
        }
        guard let note else { throw ToolFailure("The notebook is full: delete a note first.") }
        return ToolResult(text: "Noted as number \(note.id).", data: note.json)
    }

    private func list() -> ToolResult { Self.result(state.withLock { $0.notes }) }

    private func search(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let words = try call.text("query").lowercased().split(separator: " ")
        return Self.result(
            state.withLock { $0.notes }.filter { note in
                let text = (note.title + " " + note.text).lowercased()
                return words.allSatisfy { text.contains($0) }
            })
    }

    private func delete(_ call: Arguments) throws(ToolFailure) -> ToolResult {
        let id = try call.integer("id", in: 1...Int(Int32.max))
        let wasThere = state.withLock { state in
            let count = state.notes.count
            state.notes.removeAll { $0.id == id }
            return state.notes.count < count
        }
        guard wasThere else { throw ToolFailure("There is no note \(id); list_notes tells which there are.") }
        return ToolResult(text: "Note \(id) is gone.", data: ["deleted": .number(String(id))])
    }

    private static func result(_ notes: [Note]) -> ToolResult {
        let text = notes.isEmpty ? "No notes." : notes.map { "\($0.id). \($0.title): \($0.text)" }.joined(separator: "\n")
        return ToolResult(text: text, data: ["notes": .array(notes.map(\.json))])
    }
}
