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

    /// Throws −32602 where the call is malformed or names nothing. What must be right of arguments depends on what is wanted, and comes later.
    init(_ call: Call) throws(ProtocolError) {
        let message = call.message
        if let defect = message.params.defect { throw ProtocolError(.invalidParams, "Invalid params: \(defect)") }
        func required(_ text: JSONText?, _ member: String) throws(ProtocolError) -> String {
            guard let text = message.text(text) else { throw ProtocolError(.invalidParams, "Invalid params: `\(member)` is missing") }
            return text
        }
        switch message.method {
        case .getPrompt: (kind, name, isCompletion) = (.prompts, try required(message.params.name, "name"), false)
        case .readResource:
            (kind, name, isCompletion) = (.resources, try required(message.params.uri, "uri"), false)
            try Self.check(uri: name)
        case .complete:
            isCompletion = true
            let params = try message.paramsTree()
            (kind, name) = try Self.reference(of: params)
            if kind == .resources { try Self.check(uri: name) }
            try Self.checkCompletion(params)
        default: (kind, name, isCompletion) = (.tools, try required(message.params.name, "name"), false)
        }
    }

    /// A tool, by its exposed name.
    init(tool name: String) { (kind, self.name, isCompletion) = (.tools, name, false) }

    /// As rules spell it: `prompt:NAME`, `resource:URI`, or a tool's name.
    init(inRules text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch parts[0] {
        case "prompt" where parts.count > 1: (kind, name) = (.prompts, parts[1])
        case "resource" where parts.count > 1: (kind, name) = (.resources, parts[1])
        default: (kind, name) = (.tools, text)
        }
        isCompletion = false
    }

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

    /// What is to be completed, and what is known already (MCP 2026-07-28 server/utilities/completion, "CompleteRequest").
    private static func checkCompletion(_ params: JSONValue) throws(ProtocolError) {
        guard let argument = params["argument"], argument["name"]?.string != nil, argument["value"]?.string != nil else {
            throw ProtocolError(.invalidParams, "Invalid params: `argument` must have a `name` and a `value`, both strings")
        }
        guard let context = params["context"] else { return }
        guard context.members != nil, context["arguments"].map({ $0.members?.allSatisfy { $0.value.string != nil } == true }) ?? true else {
            throw ProtocolError(.invalidParams, "Invalid params: `context.arguments` must be an object of strings")
        }
    }

    /// Throws −32602 for what no resource has as its URI, whoever asks.
    static func check(uri: String) throws(ProtocolError) {
        guard !uri.isEmpty, uri.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ProtocolError(.invalidParams, "Invalid params: `uri` must be a URI")
        }
        guard uri.utf8.count <= ItemDefinition.nameBytesMax else {
            throw ProtocolError(.invalidParams, "Invalid params: `uri` is longer than \(ItemDefinition.nameBytesMax) bytes")
        }
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

    /// MCP 2026-07-28 server/resources, "Error Handling"; the code is older than that revision's in the legacy era. What is no URI is the
    /// client's mistake in both; an upstream may list such a thing all the same.
    static func notFound(_ uri: String, in era: Era) -> ProtocolError {
        guard URISpelling.hasScheme(uri) else { return ProtocolError(.invalidParams, "Invalid params: `uri` must be a URI") }
        return ProtocolError(era == .modern ? .invalidParams : .resourceNotFound, "Resource not found", data: ["uri": .string(uri)])
    }
}

extension Exposure {
    func find(_ wanted: Wanted) -> Exposed? {
        wanted.isCompletion && wanted.kind == .resources ? findCompletable(wanted.name) : find(wanted.kind, wanted.name)
    }
}
