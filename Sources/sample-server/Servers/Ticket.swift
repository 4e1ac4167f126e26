import JSON

/// One ticket of the sample tracker.
struct Ticket: Sendable {
    let project: String
    let number: Int
    let title: String
    let priority: String
    var isDraft = false
    var isOpen = true

    static let examples = [
        Ticket(project: "WEB", number: 1, title: "The search field loses its focus", priority: "normal"),
        Ticket(project: "WEB", number: 2, title: "Dark mode for the settings page", priority: "low", isOpen: false),
        Ticket(project: "OPS", number: 3, title: "Renew the certificate of the build machine", priority: "high"),
    ]

    static let schema = Schema.object(
        [
            ("key", Schema.string("Project and number.")), ("project", Schema.string("The project's key.")), ("title", Schema.string("The title.")),
            ("status", Schema.string("open or closed.", oneOf: ["open", "closed"])), ("priority", Schema.string("How soon it is needed.")),
            ("draft", ["type": "boolean"]),
        ], required: ["key", "project", "title", "status", "priority", "draft"])

    var key: String { "\(project)-\(number)" }
    var line: String { "\(key) (\(isOpen ? "open" : "closed"), \(priority)\(isDraft ? ", draft" : "")): \(title)" }

    var json: JSONValue {
        [
            "key": .string(key), "project": .string(project), "title": .string(title), "status": isOpen ? "open" : "closed",
            "priority": .string(priority), "draft": .bool(isDraft),
        ]
    }
}
