import Audit
import Auth
import Diagnostics
import MCPProtocol
import Transport

/// What an upstream says, as the client gets it.
extension Gateway {
    /// An upstream's notification as the client may see it; nil when it is not for the client.
    func clientForm(of notification: Message, for call: Call) -> [UInt8]? {
        switch notification.method {
        case .progress:
            guard let token = call.message.params.meta?.progressToken, let ours = notification.params.progressToken else { return nil }
            let bytes = notification.bytes
            return Array(bytes[..<ours.range.lowerBound]) + call.message.bytes[token.range] + bytes[ours.range.upperBound...]
        case .log:
            guard let wanted = call.logLevel, let level = notification.text(notification.params.level).flatMap(LogLevel.init) else { return nil }
            return level >= wanted ? notification.bytes : nil
        case .elicitationCompleted: return call.era == .legacy && call.abilities.contains(.links) ? notification.bytes : nil
        default: return nil
        }
    }

    /// The client gets a short text and an id; the log has the same id and the cause.
    func clientForm(of error: UpstreamError, from upstream: String, tool: String, noting trail: AuditTrail?) -> ProtocolError {
        let id = ErrorID()
        trail?.failed(error.kind, id: id)
        let what =
            switch error {
            case .unavailable: "The upstream \"\(upstream)\" is not available at present"
            case .refused: "The upstream \"\(upstream)\" refused the call"
            case .credential(.notForCaller): "The gateway has no credential of yours for the upstream \"\(upstream)\""
            case .credential(.tokenNeeded):
                "The upstream \"\(upstream)\" is called with your own token exchanged, and you brought none that is still good"
            case .credential(.signInNeeded): "You have not signed in to the upstream \"\(upstream)\" yet"
            case .credential(.scopesNeeded): "The upstream \"\(upstream)\" wants you to allow more"
            case .credential: "The gateway has no credential for the upstream \"\(upstream)\" at present"
            case .insufficientScope: "The upstream \"\(upstream)\" wants a credential that may do more"
            case .broken: "The upstream \"\(upstream)\" went away during the call, which may have had an effect"
            case .timedOut: "The upstream \"\(upstream)\" did not answer in time"
            case .violation: "The upstream \"\(upstream)\" gave an answer that is not valid MCP"
            case .malformed(let what): "The upstream \"\(upstream)\" gave an answer that is not valid MCP: \(what)"
            case .cancelled: "The call was cancelled"
            case .busy: "The upstream \"\(upstream)\" serves as many callers as it may at present"
            }
        Log(upstream).warning("call of \(tool) failed, error id \(id): \(error)")
        return ProtocolError(.internalError, "\(what) (error id \(id))")
    }
}

extension UpstreamError {
    /// A word for machines, as the audit has it.
    fileprivate var kind: String {
        switch self {
        case .unavailable: "unavailable"
        case .refused: "refused"
        case .credential: "no_credential"
        case .insufficientScope: "insufficient_scope"
        case .broken: "broken"
        case .timedOut: "timed_out"
        case .violation, .malformed: "invalid_answer"
        case .cancelled: "cancelled"
        case .busy: "busy"
        }
    }
}
