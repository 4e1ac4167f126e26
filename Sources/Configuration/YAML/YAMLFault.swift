import CYAML
import Diagnostics

/// What libyaml says of a file that is not YAML, with the fix for the mistakes that people make.
struct YAMLFault {
    let problem: Problem

    init(_ parser: yaml_parser_t, bytes: UnsafeBufferPointer<UInt8>, end: SourcePosition) {
        let what = parser.problem.map { String(cString: $0) } ?? "this cannot be read"
        guard parser.error != YAML_READER_ERROR else {
            let position = SourcePosition(offset: Int(parser.problem_offset), in: bytes, file: end.file)
            problem = Problem("not valid YAML: \(what)", at: position, fix: "remove the character, or write it as an escape in double quotes")
            return
        }
        let mark = parser.problem_mark
        let position = SourcePosition(mark, end: end)
        var message = "not valid YAML: \(what)"
        if let context = parser.context {
            message += " \(String(cString: context))"
            let start = parser.context_mark
            if start.index != mark.index { message += " that begins at \(start.line + 1):\(start.column + 1)" }
        }
        problem = Problem(message, at: position, fix: Self.fix(what, line: Self.line(Int(mark.line), of: bytes), column: Int(mark.column)))
    }

    private static func fix(_ what: String, line: [UInt8], column: Int) -> String {
        let text = String(decoding: line, as: UTF8.self)
        let character = text.unicodeScalars.dropFirst(column).first
        if character == "\t" || line.prefix(while: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }).contains(UInt8(ascii: "\t")) {
            return "indent with spaces, not with tabs"
        }
        if character == "@" || character == "`" || character == "%" { return "put what begins with `\(character ?? "@")` in quotes" }
        if what.contains("alphabetic or numeric") { return "put a pattern that begins with `*` in quotes: \"*\"" }
        if text.contains("${") { return "put references in quotes: \"${env:NAME}\"" }
        if what.contains("mapping values are not allowed") { return "put text that holds a colon in quotes, or indent the line to fit the one above" }
        return "look at the indentation, brackets and quotes from there on"
    }

    private static func line(_ number: Int, of bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var current = 0
        var result: [UInt8] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if current == number { break }
                current += 1
            } else if current == number {
                result.append(byte)
            }
        }
        return result
    }
}
