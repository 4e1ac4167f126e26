import JSON

/// What a tool's annotations say of it, read towards caution (MCP 2026-07-28 schema, `ToolAnnotations`).
package struct ToolClass: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = ToolClass(rawValue: 1)
    package static let write = ToolClass(rawValue: 2)
    package static let destructive = ToolClass(rawValue: 4)

    /// A destructive tool is also a write; one that says nothing, contradicts itself or says it in another form is both.
    package init(annotations: JSONValue?) {
        let (reads, destroys) = (annotations?["readOnlyHint"], annotations?["destructiveHint"])
        if reads == true, destroys == nil || destroys == false {
            self = .read
        } else if destroys == false, reads == nil || reads == false {
            self = .write
        } else {
            self = [.write, .destructive]
        }
    }

    /// By the names that rules use.
    static let named: KeyValuePairs<String, ToolClass> = ["@read": .read, "@write": .write, "@destructive": .destructive]

    /// As rules write them, e.g. `@write @destructive`.
    package var text: String { Self.named.filter { contains($0.value) }.map(\.key).joined(separator: " ") }
}
