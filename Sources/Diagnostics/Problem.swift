/// Something that is wrong in what a person wrote: where it stands, what is wrong, how to put it right.
package struct Problem: Hashable, Sendable, CustomStringConvertible {
    package var position: SourcePosition
    package var what: String
    package var fix: String

    package init(_ what: String, at position: SourcePosition, fix: String) {
        self.position = position
        self.what = what
        self.fix = fix
    }

    /// `FILE:LINE:COLUMN: what is wrong; how to put it right`.
    package var description: String { fix.isEmpty ? "\(position): \(what)" : "\(position): \(what); \(fix)" }
}
