/// Proof that a caller may do one thing; an upstream call can't be made without it.
package struct Permit: Sendable {
    package let caller: Caller
    /// The virtual server and the tool's exposed name.
    package let server: String
    package let tool: String
    /// The rule that allows it.
    package let decision: Decision

    /// Only for `Access`, which decides.
    init(caller: Caller, server: String, tool: String, decision: Decision) {
        self.caller = caller
        self.server = server
        self.tool = tool
        self.decision = decision
    }
}

/// Why there is no permit. A caller is told that there is no such tool, unless it may use the tool and wrote its arguments ambiguously.
package struct Denial: Error, Sendable {
    package let decision: Decision
    /// What is wrong with the arguments, fit for the caller; nil for a plain refusal.
    package let defect: String?

    package init(_ decision: Decision, defect: String? = nil) {
        self.decision = decision
        self.defect = defect
    }
}
