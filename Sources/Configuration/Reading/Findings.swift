import Diagnostics

/// What reading has found so far: every problem at once, not only the first.
struct Findings {
    private(set) var problems: [Problem] = []
    private(set) var warnings: [Problem] = []

    mutating func add(_ what: String, at position: SourcePosition, fix: String) {
        problems.append(Problem(what, at: position, fix: fix))
    }

    mutating func add(_ problems: some Sequence<Problem>) {
        self.problems += problems
    }

    mutating func warn(_ what: String, at position: SourcePosition, fix: String) {
        warnings.append(Problem(what, at: position, fix: fix))
    }

    mutating func warn(_ problems: some Sequence<Problem>) { warnings += problems }

    /// The value, or nil and its problem noted.
    mutating func value<Value>(_ body: () throws(ConfigurationError) -> Value) -> Value? {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            problems.append(error.problem)
            return nil
        }
    }
}

extension Sequence<Problem> {
    /// By file, line and column.
    func inFileOrder() -> [Problem] {
        sorted { a, b in
            let (a, b) = (a.position, b.position)
            return a.file == b.file ? (a.line, a.column) < (b.line, b.column) : a.file < b.file
        }
    }
}
