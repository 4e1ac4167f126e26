import JSON

/// The rules that concern one subject, in the order in which they are asked.
struct SubjectRules: Sendable {
    enum Effect: String, Sendable { case deny, allow }

    struct Entry: Sendable {
        /// Index of the prohibition or role that it belongs to; nil for all callers.
        let owner: Int?
        let effect: Effect
        let rule: RuleReference
        let role: String?
        let reason: String?
        private(set) var conditions: [PlacedCondition]

        func decision() -> Decision { Decision(effect == .allow ? .allowed : .denied, by: rule, role: role, reason: reason) }

        /// Whether it decides: an `allow` on certainty, a `deny` unless it certainly doesn't.
        func applies(to values: [ArgumentValue]) -> Bool {
            for condition in conditions {
                let isMet = effect == .allow ? condition.isSurelyMet(by: values) : condition.isPerhapsMet(by: values)
                if !isMet { return false }
            }
            return true
        }

        func placed(in paths: inout ArgumentPaths) -> Entry {
            var entry = self
            entry.conditions = conditions.map {
                PlacedCondition(condition: $0.condition, slot: paths.slot(of: $0.condition.path), isForeign: $0.isForeign)
            }
            return entry
        }
    }

    /// A condition, and where its argument stands.
    struct PlacedCondition: Sendable {
        let condition: Condition
        let slot: Int
        /// The subject plainly has no such argument: leaving it out hides nothing.
        let isForeign: Bool

        func isSurelyMet(by values: [ArgumentValue]) -> Bool { condition.isSurelyMet(by: values[slot]) }

        func isPerhapsMet(by values: [ArgumentValue]) -> Bool {
            if isForeign, !condition.isNegated, values[slot] == .missing { return false }
            return condition.isPerhapsMet(by: values[slot])
        }
    }

    private(set) var entries: [Entry] = []
    let subject: Subject

    init(_ subject: Subject) { self.subject = subject }

    mutating func add(_ rule: Rule, _ effect: Effect, owner: Int, role: String? = nil, reason: String? = nil) {
        // A template is shown to those who may read one of its resources at least.
        guard rule.concerns(subject) || effect == .allow && rule.concernsInstance(of: subject) else { return }
        let conditions = rule.conditions.map { condition in
            PlacedCondition(condition: condition, slot: 0, isForeign: subject.schema?.plainlyLacks(condition.path) ?? true)
        }
        entries.append(Entry(owner: owner, effect: effect, rule: rule.reference, role: role, reason: reason, conditions: conditions))
    }

    mutating func addForEveryone(_ rule: RuleReference) {
        entries.append(Entry(owner: nil, effect: .allow, rule: rule, role: nil, reason: nil, conditions: []))
    }
}
