import Diagnostics

/// What a person wrote cannot be used.
package struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    package let problem: Problem

    package init(_ problem: Problem) { self.problem = problem }

    init(_ what: String, at position: SourcePosition, fix: String) {
        problem = Problem(what, at: position, fix: fix)
    }

    package var description: String { problem.description }
}
