import Auth
import JSON
import MCPProtocol
import Transport
import VirtualServers

/// What a call names, as the client spells it: a tool, a prompt or a resource, to be used or to have an argument completed.
struct Wanted: Sendable {
    let kind: ListKind
    let name: String
    /// Whether an argument of it shall be completed.
    let isCompletion: Bool

    /// Throws −32602 where the call is malformed or names nothing.
    init(_ call: Call) throws(ProtocolError) {
        let message = call.message
        if let defect = message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        func required(_ text: JSONText?, _ member: String) throws(ProtocolError) -> String {
            guard let text = message.text(text) else { throw ProtocolError(.invalidParams, "Invalid params: `\(member)` is missing") }
            return text
        }
        switch message.method {
        case .getPrompt: (kind, name, isCompletion) = (.prompts, try required(message.params.name, "name"), false)
        case .readResource: (kind, name, isCompletion) = (.resources, try required(message.params.uri, "uri"), false)
        case .complete:
            isCompletion = true
            (kind, name) = try Self.reference(of: try message.paramsTree())
        default: (kind, name, isCompletion) = (.tools, try required(message.params.name, "name"), false)
        }
    }

    /// A tool, by its exposed name.
    init(tool name: String) { (kind, self.name, isCompletion) = (.tools, name, false) }

    /// What `ref` names (MCP 2026-07-28 server/utilities/completion, "Reference Types").
    private static func reference(of params: JSONValue) throws(ProtocolError) -> (ListKind, String) {
        let reference = params["ref"]
        switch reference?["type"]?.string {
        case "ref/prompt": if let name = reference?["name"]?.string { return (.prompts, name) }
        case "ref/resource": if let uri = reference?["uri"]?.string { return (.resources, uri) }
        default: break
        }
        throw ProtocolError(.invalidParams, "Invalid params: `ref` must name a prompt or a resource")
    }

    /// For the log, and to tell a call from one of another kind.
    var label: String { kind == .tools ? name : "\(isCompletion ? "completion of " : "")\(kind.noun):\(name)" }

    /// How rules call its kind.
    var subjectKind: Subject.Kind {
        switch kind {
        case .tools: .tool
        case .prompts: .prompt
        case .resources, .templates: .resource
        }
    }

    /// What is answered where there is no such thing, and, word for word, where the caller may not use it.
    func unknown(in era: Era) -> ProtocolError {
        switch kind {
        case .tools: ProtocolError(.invalidParams, "Unknown tool: \(name.prefix(128))")
        case .prompts: ProtocolError(.invalidParams, "Unknown prompt: \(name.prefix(128))")
        case .resources, .templates: Self.notFound(name, in: isCompletion ? .modern : era)
        }
    }

    /// MCP 2026-07-28 server/resources, "Error Handling"; the code is older than that revision's in the legacy era.
    static func notFound(_ uri: String, in era: Era) -> ProtocolError {
        ProtocolError(era == .modern ? .invalidParams : .resourceNotFound, "Resource not found", data: ["uri": .string(uri)])
    }
}

extension Exposure {
    func find(_ wanted: Wanted) -> Exposed? {
        wanted.isCompletion && wanted.kind == .resources ? findCompletable(wanted.name) : find(wanted.kind, wanted.name)
    }
}
