import JSON

/// How a decision came about, for the person who runs the gateway.
package struct Explanation: Sendable {
    /// One rule, and why it applied or did not.
    package struct Step: Sendable {
        package let rule: RuleReference
        /// `deny` or `allow`.
        package let effect: String
        /// nil for `policy` and `access`.
        package let role: String?
        package let applies: Bool
        package let why: String
    }

    package let decision: Decision
    /// In the order in which rules are asked: `policy`, then what roles deny, then what they allow.
    package let steps: [Step]
}

extension AccessPolicy {
    /// The decision and every rule that was considered. `arguments` are those that would go upstream.
    package func explain(_ caller: Caller, subject index: Int, called name: String, of server: String, arguments: [UInt8]) -> Explanation {
        let decision: Decision
        do {
            decision = try access(of: caller).permit(
                caller, toUse: index, called: name, of: server, arguments: (arguments, arguments.indices)
            ).decision
        } catch {
            decision = error.decision
        }
        return Explanation(decision: decision, steps: steps(caller, subjects[index], arguments))
    }

    /// The same for what no list has. A tool that is not known is judged by its name and by all classes that it may have; the decision is nil
    /// where they differ.
    package func explain(_ caller: Caller, unknown subject: Subject, arguments: [UInt8]) -> (decision: Decision?, steps: [Explanation.Step]) {
        let classes: [ToolClass] = subject.kind == .tool ? [.read, .write, [.write, .destructive]] : [[]]
        let found = classes.map { toolClass in
            let one = Subject(
                subject.kind, name: subject.name, upstream: subject.upstream, upstreamName: subject.upstreamName, toolClass: toolClass,
                schema: subject.kind == .resource ? nil : [:])
            return AccessPolicy(self, for: one).explain(caller, subject: 0, called: subject.name, of: "", arguments: arguments)
        }
        let isSure = Set(found.map(\.decision.outcome)).count == 1
        return (isSure ? found[0].decision : nil, isSure ? found[0].steps : found[found.count - 1].steps)
    }

    private func steps(_ caller: Caller, _ rules: SubjectRules, _ arguments: [UInt8]) -> [Explanation.Step] {
        let subject = rules.subject
        var steps: [Explanation.Step] = []
        for prohibition in prohibitions {
            let spared = prohibition.unless.first { $0.matches(caller) }.map { "spares \($0.reference.text)" }
            for rule in prohibition.deny { steps.append(step(rule, .deny, role: nil, outside: spared, subject, arguments)) }
        }
        for effect in [SubjectRules.Effect.deny, .allow] {
            for role in roles {
                let outside = role.includes(caller) ? nil : "the role is for \(role.who.map(\.reference.text).joined(separator: ", "))"
                for rule in effect == .deny ? role.deny : role.allow {
                    steps.append(step(rule, effect, role: role.name, outside: outside, subject, arguments))
                }
            }
        }
        if let open { steps.append(.init(rule: open, effect: "allow", role: nil, applies: true, why: "is for all callers")) }
        return steps
    }

    private func step(
        _ rule: Rule, _ effect: SubjectRules.Effect, role: String?, outside: String?, _ subject: Subject, _ arguments: [UInt8]
    ) -> Explanation.Step {
        func made(_ applies: Bool, _ why: String) -> Explanation.Step {
            Explanation.Step(rule: rule.reference, effect: effect.rawValue, role: role, applies: applies, why: why)
        }
        if let outside { return made(false, outside) }
        guard rule.concerns(subject) else { return made(false, "is about something else") }
        var paths = ArgumentPaths()
        let slots = rule.conditions.map { paths.slot(of: $0.path) }
        guard let values = try? paths.values(in: arguments, range: arguments.indices) else {
            return made(effect == .deny, "an argument stands there twice")
        }
        var reasons: [String] = []
        for (condition, slot) in zip(rule.conditions, slots) {
            let isForeign = subject.schema?.plainlyLacks(condition.path) ?? true
            let placed = SubjectRules.PlacedCondition(condition: condition, slot: slot, isForeign: isForeign)
            let isMet = effect == .allow ? placed.isSurelyMet(by: values) : placed.isPerhapsMet(by: values)
            let reason = condition.finding(values[slot])
            if !isMet { return made(false, reason) }
            reasons.append(reason)
        }
        return made(true, reasons.isEmpty ? "matches" : reasons.joined(separator: ", "))
    }
}

extension Condition {
    /// What the argument is, next to what the condition wants.
    fileprivate func finding(_ argument: ArgumentValue) -> String {
        let values = values.map(\.text).joined(separator: "|")
        let what =
            switch argument {
            case .missing: "is missing"
            case .unclear: "is an array or object, or can be read in two ways"
            case .null: "is null"
            case .bool(let value): "is \(value)"
            case .number(let text): "is \(text.prefix(80))"
            case .string(let text): "is \(JSONValue.string(String(text.prefix(80))).text)"
            }
        switch (argument, likeness(of: argument)) {
        case (.missing, _), (.unclear, _), (.null, .unclear): return "`\(self.argument)` \(what)"
        case (_, .same): return "`\(self.argument)` \(what), one of \(values)"
        case (_, .different): return "`\(self.argument)` \(what), none of \(values)"
        case (_, .unclear): return "`\(self.argument)` \(what), which may be taken for \(values)"
        }
    }
}
