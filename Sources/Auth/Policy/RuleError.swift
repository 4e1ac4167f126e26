/// What is wrong in the text of a rule: where in it, and how to put it right.
package struct RuleError: Error, Hashable, Sendable {
    package let what: String
    /// Counted in code points from the text's beginning.
    package let offset: Int
    package let fix: String

    init(_ what: String, at offset: Int, fix: String) {
        self.what = what
        self.offset = offset
        self.fix = fix
    }
}
