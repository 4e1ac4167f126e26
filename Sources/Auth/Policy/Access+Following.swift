import MCPProtocol

extension Access {
    /// The rules under which the subject may be used now, as a short digest; nil where it may not be used.
    package func grant(of subject: Int) -> String? {
        terms(of: subject).map { Base64.encodeURL(Array(SHA256Digest(of: $0).bytes.prefix(12))) }
    }

    /// Lets a caller follow up a use that was permitted before, whose arguments are no longer known: a task's result, say.
    ///
    /// Where it depends on arguments, the rules must still be those of then: only so is the decision known to be the same.
    package func permit(
        _ caller: Caller, toFollow subject: Int, called name: String, of server: String, permittedUnder grant: String
    ) throws(Denial) -> Permit {
        switch standings[subject] {
        case .denied(let decision): throw Denial(decision)
        case .allowed(let decision): return Permit(caller: caller, server: server, tool: name, decision: decision)
        case .conditional:
            guard self.grant(of: subject)?.utf8.elementsEqual(grant.utf8) == true else {
                throw Denial(Decision(.denied, reason: "the rules about its arguments have changed since the task was made"))
            }
            let decision = Decision(.allowed, reason: "the rules are those under which the task was made")
            return Permit(caller: caller, server: server, tool: name, decision: decision)
        }
    }
}
