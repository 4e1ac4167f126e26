/// Proof that a caller may do one thing; an upstream call can't be made without it.
package struct Permit: Sendable {
    package let caller: Caller
    /// The virtual server and the tool's exposed name.
    package let server: String
    package let tool: String

    fileprivate init(caller: Caller, server: String, tool: String) {
        self.caller = caller
        self.server = server
        self.tool = tool
    }
}

/// Who may use a virtual server. `access: everyone` opens it to all callers that the gateway lets in.
package enum AccessRule: Hashable, Sendable {
    case everyone

    package func permit(_ caller: Caller, server: String, tool: String) -> Permit? {
        switch self {
        case .everyone: Permit(caller: caller, server: server, tool: tool)
        }
    }
}
