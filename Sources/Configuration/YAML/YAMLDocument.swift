import CYAML
import Diagnostics

/// One YAML file, read: its tree where it could be trusted, and everything that is wrong with its form.
struct YAMLDocument: Sendable {
    /// Limits that hold for every configuration file.
    enum Limits {
        static let bytesMax = 1 << 20
        static let depthMax = 64
    }

    /// Nil for an empty file, and where what stands there cannot be told; a key written twice does not hide the rest.
    var root: YAMLNode?
    var problems: [Problem]
    var isEmpty: Bool { root == nil && problems.isEmpty }

    /// Reads `bytes`; `file` is how messages name them.
    init(parsing bytes: [UInt8], file: String) {
        let start = SourcePosition(file: file, line: 1, column: 1)
        // A byte order mark is no part of the text (YAML 1.2.2 §5.2), and editors don't count it as a column.
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        guard bytes.count <= Limits.bytesMax else {
            root = nil
            problems = [Problem("the file is larger than 1 MiB", at: start, fix: "split it up")]
            return
        }
        if let offset = firstOffsetThatIsNotUTF8(bytes) {
            root = nil
            let position = SourcePosition(offset: offset, in: bytes, file: file)
            problems = [Problem("this is not UTF-8", at: position, fix: "save the file in the encoding UTF-8")]
            return
        }
        (root, problems) = bytes.withUnsafeBufferPointer { buffer in
            var composer = YAMLComposer(bytes: buffer, file: file)
            return composer.compose()
        }
    }
}

/// Where the first ill-formed sequence begins (Unicode §3.9, table 3-7), or nil.
private func firstOffsetThatIsNotUTF8(_ bytes: [UInt8]) -> Int? {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
        switch decoder.decode(&iterator) {
        case .scalarValue(let scalar): offset += UTF8.width(scalar)
        case .emptyInput: return nil
        case .error: return offset
        }
    }
}
