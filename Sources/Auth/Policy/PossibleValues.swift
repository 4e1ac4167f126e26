/// What an argument can be when rules judge it, whatever the caller sends.
package enum PossibleValues: Sendable {
    case anything
    case only([ArgumentValue])
}

extension Rule {
    /// The first argument whose conditions can't be met whatever a caller sends, by its path; nil where the rule can match.
    ///
    /// `values` tells what the argument at a path can be. An `allow` needs certainty, a `deny` the lack of it.
    package func impossibility(isDeny: Bool, _ values: ([String]) -> PossibleValues) -> [String]? {
        var paths: [[String]] = []
        for condition in conditions where !paths.contains(condition.path) { paths.append(condition.path) }
        return paths.first { path in
            let own = conditions.filter { $0.path == path }
            switch values(path) {
            case .anything: return !own.canBeMet
            case .only(let values):
                return !values.contains { value in own.allSatisfy { isDeny ? $0.isPerhapsMet(by: value) : $0.isSurelyMet(by: value) } }
            }
        }
    }
}

extension [Condition] {
    /// Whether some value can meet all of them, which are on one argument; true where that is not plain.
    fileprivate var canBeMet: Bool {
        if contains(where: { $0.isNegated && $0.values.contains { $0.glob.isEverything } }) { return false }
        let wanted = filter { !$0.isNegated }
        guard let first = wanted.first else { return true }
        let excluded = filter(\.isNegated).flatMap(\.values).map(\.glob)
        return first.values.contains { value in
            let isShared = wanted.dropFirst().allSatisfy { other in other.values.contains { $0.glob.intersects(value.glob) } }
            let isExcluded = value.glob.literal.map { text in excluded.contains { $0.matches(text) } } ?? false
            return isShared && !isExcluded
        }
    }
}
