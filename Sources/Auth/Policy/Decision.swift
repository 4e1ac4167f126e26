/// What was decided about one use of one thing, and by which rule; for the audit and `explain`, never for the caller.
package struct Decision: Hashable, Sendable {
    package enum Outcome: String, Hashable, Sendable { case allowed, denied }

    package let outcome: Outcome
    /// The rule that decided; nil where none allows it.
    package let rule: RuleReference?
    /// The role that the rule belongs to; nil for `policy` and `access`.
    package let role: String?
    /// What `policy` gives as its reason, or what is wrong with the arguments.
    package let reason: String?

    package init(_ outcome: Outcome, by rule: RuleReference? = nil, role: String? = nil, reason: String? = nil) {
        self.outcome = outcome
        self.rule = rule
        self.role = role
        self.reason = reason
    }

    package var isAllowed: Bool { outcome == .allowed }
}
