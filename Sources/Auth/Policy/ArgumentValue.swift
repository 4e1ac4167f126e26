import JSON

/// What stands at one place of a call's arguments, as far as conditions look.
package enum ArgumentValue: Hashable, Sendable {
    case missing
    /// An array, an object, or something that two readers may read differently.
    case unclear
    case null
    case bool(Bool)
    /// As it is spelt.
    case number(String)
    case string(String)

    package init(_ value: JSONValue?) {
        switch value {
        case nil: self = .missing
        case .null?: self = .null
        case .bool(let value)?: self = .bool(value)
        case .number(let text)?: self = .number(text)
        case .string(let text)?: self = .string(text)
        case .array?, .object?: self = .unclear
        }
    }
}

/// The places of the arguments that a tool's conditions look at, as a tree.
struct ArgumentPaths: Sendable {
    struct Branch: Sendable {
        let key: String
        let node: Node
        /// Whether the key is printable ASCII.
        let isPlain: Bool

        init(key: String, node: Node) {
            self.key = key
            self.node = node
            isPlain = key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
    }

    struct Node: Sendable {
        /// Where the value of this place goes.
        var slot: Int?
        var branches: [Branch] = []
    }

    private(set) var paths: [[String]] = []
    private(set) var root = Node()

    /// The place's slot; a place that is already known keeps its own.
    mutating func slot(of path: [String]) -> Int {
        if let known = paths.firstIndex(where: { $0.elementsEqual(path) { $0.utf8.elementsEqual($1.utf8) } }) { return known }
        paths.append(path)
        root = Self.inserting(path[...], slot: paths.count - 1, into: root)
        return paths.count - 1
    }

    private static func inserting(_ path: ArraySlice<String>, slot: Int, into node: Node) -> Node {
        var node = node
        guard let key = path.first else {
            node.slot = slot
            return node
        }
        let at = node.branches.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
        let inner = inserting(path.dropFirst(), slot: slot, into: at.map { node.branches[$0].node } ?? Node())
        if let at { node.branches[at] = Branch(key: key, node: inner) } else { node.branches.append(Branch(key: key, node: inner)) }
        return node
    }

    /// What stands at each place, by slot. `range` is where a value lies in bytes that were validated; nil where there is none.
    ///
    /// Throws where a key that is looked at stands there twice: two readers may take different ones.
    func values(in bytes: [UInt8], range: Range<Int>?) throws(JSONError) -> [ArgumentValue] {
        var values = [ArgumentValue](repeating: .missing, count: paths.count)
        guard let range, !paths.isEmpty else { return values }
        var scanner = JSONScanner(at: range.lowerBound, depthMax: .max)
        try Self.read(root, isRoot: true, from: &scanner, in: bytes.span, to: &values)
        return values
    }

    /// The same from a tree, whose keys are unique.
    func values(in tree: JSONValue) -> [ArgumentValue] {
        let bytes = tree.bytes
        return (try? values(in: bytes, range: bytes.indices)) ?? paths.map { _ in .unclear }
    }

    private static func read(
        _ node: Node, isRoot: Bool, from scanner: inout JSONScanner, in bytes: Span<UInt8>, to values: inout [ArgumentValue]
    ) throws(JSONError) {
        let kind = try scanner.nextKind(in: bytes)
        guard kind == .object, !node.branches.isEmpty else {
            // `a.b` where `a` is no object: an upstream may have its own idea of it.
            if !isRoot || kind != .null { blur(node, &values) }
            if let slot = node.slot { values[slot] = try scalar(kind, from: &scanner, in: bytes) } else { try scanner.skipValue(in: bytes) }
            return
        }
        if let slot = node.slot { values[slot] = .unclear }
        try scanner.beginObject(in: bytes)
        var seen = [Bool](repeating: false, count: node.branches.count)
        var blurred = seen
        while let key = try scanner.nextKey(in: bytes) {
            var exact: Int?
            for (index, branch) in node.branches.enumerated() {
                switch likeness(of: key, branch, in: bytes) {
                case .same: exact = index
                case .unclear: blurred[index] = true
                case .different: break
                }
            }
            guard let exact else {
                try scanner.skipValue(in: bytes)
                continue
            }
            guard !seen[exact] else { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
            seen[exact] = true
            try read(node.branches[exact].node, isRoot: false, from: &scanner, in: bytes, to: &values)
        }
        // A reader that ignores case takes `Method` for `method`.
        for index in node.branches.indices where blurred[index] { blurAll(node.branches[index].node, &values) }
    }

    private static func scalar(_ kind: JSONKind, from scanner: inout JSONScanner, in bytes: Span<UInt8>) throws(JSONError) -> ArgumentValue {
        if kind == .string { return .string(try scanner.string(in: bytes).string(in: bytes)) }
        let extent = try scanner.skipValue(in: bytes)
        switch kind {
        case .null: return .null
        case .bool: return .bool(extent.range.count == 4)
        case .number: return .number(JSONText(range: extent.range, hasEscapes: false).string(in: bytes))
        default: return .unclear
        }
    }

    private static func likeness(of text: JSONText, _ branch: Branch, in bytes: Span<UInt8>) -> Likeness {
        if !text.hasEscapes {
            let key = branch.key.utf8
            var (isSame, isASCII) = (key.count == text.range.count, true)
            var at = key.startIndex
            for index in text.range {
                if isSame, bytes[index] != key[at] { isSame = false }
                if bytes[index] >= 0x7F || bytes[index] <= 0x20 { isASCII = false }
                if isSame { at = key.index(after: at) }
            }
            if isSame { return .same }
            if isASCII, branch.isPlain, key.count != text.range.count { return .different }
        }
        let given = text.string(in: bytes)
        if given.utf8.elementsEqual(branch.key.utf8) { return .same }
        return Glob(literally: branch.key).mayBeTaken(for: given) ? .unclear : .different
    }

    private static func blur(_ node: Node, _ values: inout [ArgumentValue]) {
        for branch in node.branches { blurAll(branch.node, &values) }
    }

    private static func blurAll(_ node: Node, _ values: inout [ArgumentValue]) {
        if let slot = node.slot { values[slot] = .unclear }
        blur(node, &values)
    }
}
