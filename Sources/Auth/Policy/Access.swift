import JSON

/// What callers whom the same rules concern may do in a virtual server; by the index of the subject.
package final class Access: Sendable {
    enum Standing: Sendable {
        case denied(Decision)
        case allowed(Decision)
        /// It depends on the arguments.
        case conditional(ConditionalRules)
    }

    let standings: [Standing]
    private let rules: UnknownSubjectRules

    /// `active` tells which prohibitions, then which roles, concern the callers.
    init(_ policy: AccessPolicy, active: [Bool]) {
        standings = policy.subjects.map { Standing($0, active: active) }
        let roles = zip(policy.roles, active.dropFirst(policy.prohibitions.count)).filter(\.1).map(\.0)
        let prohibitions = zip(policy.prohibitions, active).filter(\.1).map(\.0)
        rules = UnknownSubjectRules(open: policy.open, roles: roles, prohibitions: prohibitions)
    }

    /// The decision where the subject may not be used whatever the arguments.
    package func denial(of subject: Int) -> Denial? {
        if case .denied(let decision) = standings[subject] { Denial(decision) } else { nil }
    }

    /// What allows the caller something that its upstream is not there to tell of; nil where nothing can.
    package func allowance(of subject: UnknownSubject) -> Decision? { rules.allowance(of: subject) }

    /// Decides on one use. `arguments` are those that would go upstream: where they lie in bytes that were validated.
    package func permit(
        _ caller: Caller, toUse subject: Int, called name: String, of server: String, arguments: (bytes: [UInt8], range: Range<Int>)?
    ) throws(Denial) -> Permit {
        try Self.permit(caller, under: standings[subject], called: name, of: server, arguments: arguments)
    }

    /// The permit for what goes with being listed, such as completing an argument: where it may be used with some arguments at least.
    package func permit(
        _ caller: Caller, toSee subject: Int, in space: ArgumentSpace, called name: String, of server: String
    ) throws(Denial) -> Permit {
        switch standings[subject] {
        case .denied(let decision): throw Denial(decision)
        case .allowed(let decision): return Permit(caller: caller, server: server, tool: name, decision: decision)
        case .conditional(let rules):
            guard rules.narrowings(in: space) != nil, let allow = rules.allows.first else { throw Denial(Decision(.denied)) }
            return Permit(caller: caller, server: server, tool: name, decision: allow.decision())
        }
    }

    static func permit(
        _ caller: Caller, under standing: Standing, called name: String, of server: String, arguments: (bytes: [UInt8], range: Range<Int>)?
    ) throws(Denial) -> Permit {
        let decision: Decision
        switch standing {
        case .denied(let denied): decision = denied
        case .allowed(let allowed): decision = allowed
        case .conditional(let rules):
            do {
                decision = rules.decide(try rules.paths.values(in: arguments?.bytes ?? [], range: arguments?.range))
            } catch {
                throw Denial(Decision(.denied, reason: "the arguments have \(error)"), defect: "`arguments` has \(error)")
            }
        }
        guard decision.isAllowed else { throw Denial(decision) }
        return Permit(caller: caller, server: server, tool: name, decision: decision)
    }
}

/// The rules that concern one caller and one subject, where it depends on the arguments.
package struct ConditionalRules: Sendable {
    let subject: Subject
    let paths: ArgumentPaths
    let denies: [SubjectRules.Entry]
    let allows: [SubjectRules.Entry]

    /// Only the places that these rules look at are read.
    init(subject: Subject, denies: [SubjectRules.Entry], allows: [SubjectRules.Entry]) {
        var paths = ArgumentPaths()
        self.subject = subject
        self.denies = denies.map { $0.placed(in: &paths) }
        self.allows = allows.map { $0.placed(in: &paths) }
        self.paths = paths
    }

    /// `values` by slot.
    func decide(_ values: [ArgumentValue]) -> Decision {
        for entry in denies where entry.applies(to: values) { return entry.decision() }
        for entry in allows where entry.applies(to: values) { return entry.decision() }
        return Decision(.denied)
    }

    var conditions: [SubjectRules.PlacedCondition] { (denies + allows).flatMap(\.conditions) }
}

extension Access.Standing {
    init(_ rules: SubjectRules, active: [Bool]) {
        let entries = rules.entries.filter { entry in entry.owner.map { active[$0] } ?? true }
        let denies = entries.filter { $0.effect == .deny }
        let allows = entries.filter { $0.effect == .allow }
        if let deny = denies.first(where: \.conditions.isEmpty) {
            self = .denied(deny.decision())
        } else if allows.isEmpty {
            self = .denied(Decision(.denied))
        } else if denies.isEmpty, let allow = allows.first(where: \.conditions.isEmpty) {
            self = .allowed(allow.decision())
        } else {
            self = .conditional(ConditionalRules(subject: rules.subject, denies: denies, allows: allows))
        }
    }
}

extension Access {
    /// Under which rules the subject may be used: nil where it may not, empty where always, else the conditional rules as they are written.
    package func terms(of subject: Int) -> String? {
        switch standings[subject] {
        case .denied: return nil
        case .allowed: return ""
        case .conditional(let rules):
            let denies = rules.denies.map { "not " + ($0.rule.text) }
            let allows = rules.allows.contains(where: \.conditions.isEmpty) ? [] : rules.allows.map(\.rule.text)
            return (Set(allows).sorted() + Set(denies).sorted()).joined(separator: ", ")
        }
    }
}
