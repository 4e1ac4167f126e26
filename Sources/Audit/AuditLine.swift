import Auth
import JSON

/// Renders events as lines of JSON; the members are described in docs/audit.md.
struct AuditLine: Sendable {
    /// Longest text of a caller's or a client's making, in characters.
    static let textMax = 256
    /// Most groups, and most scopes, that are named.
    static let groupsMax = 64

    let values: AuditSettings.Values
    let digest: ArgumentDigest
    let masking: ArgumentMasking

    /// Appends the event as one line; `id` is its own.
    func append(_ event: AuditEvent, id: String, to line: inout [UInt8]) {
        line.append("{\"time\":")
        line.append(jsonString: event.time.text)
        line.append(member: "event", id)
        line.append(member: "outcome", event.outcome.rawValue)
        append(event.caller, to: &line)
        line.append(member: "virtual_server", event.virtualServer)
        line.append(member: "method", event.message?.method)
        let (name, upstreamName) = Self.members(of: event.message?.kind ?? .tool)
        line.append(member: name, (event.followedTool ?? event.message?.name).map(clipped))
        line.append(member: "upstream", event.upstream)
        if let upstreamName { line.append(member: upstreamName, event.upstreamName.map(clipped)) }
        if !event.scopes.isEmpty { line.append(names: "scopes", event.scopes.prefix(Self.groupsMax).map(clipped)) }
        line.append(member: "rule", (event.decision?.rule?.text).map(clipped))
        line.append(member: "rule_at", (event.decision?.rule?.position).map(\.description))
        line.append(member: "role", event.decision?.role.map(clipped))
        line.append(member: "reason", event.decision?.reason.map(clipped))
        line.append(member: "error", event.failure.map { clipped($0.kind) })
        line.append(member: "error_id", (event.failure?.id)?.description)
        if event.more > 0 {
            line.append(",\"more\":")
            line.append(contentsOf: String(event.more).utf8)
        }
        if let duration = event.duration {
            line.append(",\"duration_ms\":")
            line.append(contentsOf: duration.milliseconds.utf8)
        }
        line.append(member: "transport", event.origin.transport)
        line.append(member: "revision", event.origin.revision)
        line.append(member: "peer", event.origin.peer)
        if let message = event.message { append(message, of: event, to: &line) }
        line.append("}\n")
    }

    /// A line that says how many events there was no room for.
    func append(lost count: Int, id: String, at time: EventTime, to line: inout [UInt8]) {
        line.append("{\"time\":")
        line.append(jsonString: time.text)
        line.append(member: "event", id)
        line.append(member: "outcome", "lost")
        line.append(",\"events\":")
        line.append(contentsOf: "\(count)}\n".utf8)
    }

    /// What the client calls it, and what the upstream does; URIs are the same for both.
    private static func members(of kind: AuditedMessage.Kind) -> (StaticString, StaticString?) {
        switch kind {
        case .tool: ("tool", "upstream_tool")
        case .prompt: ("prompt", "upstream_prompt")
        case .resource: ("resource", nil)
        }
    }

    private func append(_ caller: Caller?, to line: inout [UInt8]) {
        guard let caller else { return }
        line.append(member: "caller", clipped(caller.description))
        line.append(member: "user", caller.user.map(clipped))
        line.append(member: "client", caller.client.map(clipped))
        if !caller.groups.isEmpty { line.append(names: "groups", caller.groups.sorted().prefix(Self.groupsMax).map { clipped($0.description) }) }
        let (proof, id) = caller.proof.words
        line.append(member: "proof", proof)
        line.append(member: "proof_id", id.map(clipped))
    }

    private func append(_ message: AuditedMessage, of event: AuditEvent, to line: inout [UInt8]) {
        line.append(member: "traceparent", message.traceparent)
        guard values != .none, let arguments = message.arguments else { return }
        line.append(member: "arguments_digest", digest.text(of: message.bytes[arguments]))
        guard values == .full else { return }
        if let shown = masking.arguments(of: message, concealing: event.concealed, redaction: event.redaction?() ?? Redaction()) {
            line.append(",\"arguments\":")
            line.append(json: shown)
        } else {
            line.append(",\"arguments_bytes\":")
            line.append(contentsOf: String(arguments.count).utf8)
        }
    }

    private func clipped(_ text: String) -> String {
        // As many bytes are at least as many characters, and counted at once.
        text.utf8.count > Self.textMax && text.count > Self.textMax ? text.prefix(Self.textMax) + "…" : text
    }
}

extension [UInt8] {
    /// `,"name":"text"`; nothing for nil.
    fileprivate mutating func append(member name: StaticString, _ text: String?) {
        guard let text else { return }
        append(",\"")
        append(name)
        append("\":")
        append(jsonString: text)
    }

    /// `,"name":["text",…]`.
    fileprivate mutating func append(names name: StaticString, _ texts: [String]) {
        append(",\"")
        append(name)
        append("\":")
        append(json: .array(texts.map { .string($0) }))
    }
}

extension Caller.Proof {
    /// The kind of proof, and which one where there are several.
    fileprivate var words: (kind: String, id: String?) {
        switch self {
        case .none: ("none", nil)
        case .login: ("login", nil)
        case .key(let id): ("key", id)
        case .token(let issuer): ("token", issuer)
        case .certificate(let fingerprint, _): ("certificate", fingerprint)
        case .assumed: ("assumed", nil)
        }
    }
}

extension Duration {
    /// With three decimals, without an exponent.
    fileprivate var milliseconds: String {
        let microseconds = components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
        let fraction = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
