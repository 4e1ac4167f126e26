import CYAML
import Diagnostics

extension SourcePosition {
    /// The place of the byte at `offset`; lines end where YAML 1.1 ends them (CR, LF, NEL, LS, PS), columns count characters, as libyaml does.
    init(offset: Int, in bytes: some Collection<UInt8>, file: String) {
        self.init(file: file, line: 1, column: 1)
        var isAfterReturn = false
        for scalar in String(decoding: bytes.prefix(offset), as: UTF8.self).unicodeScalars {
            defer { isAfterReturn = scalar == "\r" }
            if scalar == "\n" && isAfterReturn { continue }
            if Self.lineBreaks.contains(scalar) {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
    }

    /// The place that libyaml means, but none behind `end`: it counts one line more where the last one is not ended.
    init(_ mark: yaml_mark_t, end: SourcePosition) {
        let (line, column) = (Int(mark.line) + 1, Int(mark.column) + 1)
        if (line, column) < (end.line, end.column) {
            self.init(file: end.file, line: line, column: column)
        } else {
            self = end
        }
    }

    private static let lineBreaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
}
