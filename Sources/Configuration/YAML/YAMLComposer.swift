import CYAML
import Diagnostics

/// Builds the tree from libyaml's events and refuses what a configuration needs not: anchors, tags, several documents.
struct YAMLComposer {
    /// The form is broken from here on; the problem has been noted.
    private struct Stop: Error {}

    private let bytes: UnsafeBufferPointer<UInt8>
    /// Where the file ends.
    private let end: SourcePosition
    private var problems: [Problem] = []
    private var isTrusted = true

    init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.bytes = bytes
        end = SourcePosition(offset: bytes.count, in: bytes, file: file)
    }

    mutating func compose() -> (YAMLNode?, [Problem]) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            return (nil, [Problem("there is no memory left to read this file", at: SourcePosition(file: end.file, line: 1, column: 1), fix: "")])
        }
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
        do throws(Stop) {
            let root = try document(parser)
            return (isTrusted ? root : nil, problems)
        } catch {
            return (nil, problems)
        }
    }

    private mutating func document(_ parser: UnsafeMutablePointer<yaml_parser_t>) throws(Stop) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let event = try next(parser)
            switch event.kind {
            case .streamEnd: return root
            case .documentStart where root != nil:
                problems.append(Problem("a second document begins here", at: event.position, fix: "keep one document in a file"))
                throw Stop()
            case .documentStart, .other: continue
            default: root = try node(event, parser, depth: 1)
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvent, _ parser: UnsafeMutablePointer<yaml_parser_t>, depth: Int
    ) throws(Stop) -> YAMLNode {
        refuseWhatIsNotNeeded(event)
        guard depth <= YAMLDocument.Limits.depthMax else {
            problems.append(
                Problem("this is nested deeper than \(YAMLDocument.Limits.depthMax) levels", at: event.position, fix: "make it flatter"))
            throw Stop()
        }
        switch event.kind {
        case .scalar(let scalar): return YAMLNode(content: .scalar(scalar), position: event.position)
        case .sequenceStart: return try sequence(at: event.position, parser, depth: depth)
        case .mappingStart: return try mapping(at: event.position, parser, depth: depth)
        default: return YAMLNode(content: .scalar(YAMLScalar(text: "", isPlain: true)), position: event.position)
        }
    }

    private mutating func sequence(
        at position: SourcePosition, _ parser: UnsafeMutablePointer<yaml_parser_t>, depth: Int
    ) throws(Stop) -> YAMLNode {
        var elements: [YAMLNode] = []
        while true {
            let event = try next(parser)
            if event.kind == .end { return YAMLNode(content: .sequence(elements), position: position) }
            elements.append(try node(event, parser, depth: depth + 1))
        }
    }

    private mutating func mapping(
        at position: SourcePosition, _ parser: UnsafeMutablePointer<yaml_parser_t>, depth: Int
    ) throws(Stop) -> YAMLNode {
        var entries: [YAMLNode.Entry] = []
        var places: [String: SourcePosition] = [:]
        while true {
            let event = try next(parser)
            if event.kind == .end { return YAMLNode(content: .mapping(entries), position: position) }
            let key = try node(event, parser, depth: depth + 1)
            let value = try node(try next(parser), parser, depth: depth + 1)
            guard case .scalar(let scalar) = key.content, !key.isNull else {
                refuse("\(key.kind) cannot be a key", at: key.position, fix: "a key is a word before a colon")
                continue
            }
            if let first = places[scalar.text] {
                let what = "the key \(quoted(scalar.text)) stands here a second time; the first is at \(first)"
                problems.append(Problem(what, at: key.position, fix: "keep one of them"))
                continue
            }
            places[scalar.text] = key.position
            entries.append(YAMLNode.Entry(key: scalar.text, keyPosition: key.position, value: value))
        }
    }

    private mutating func refuseWhatIsNotNeeded(_ event: YAMLEvent) {
        if let anchor = event.anchor {
            let isAlias = event.kind == .alias
            let word = isAlias ? "*\(anchor)" : "&\(anchor)"
            let fix = isAlias ? "write the value out, or put it in quotes if it is a pattern" : "remove it and write the value out where it is used"
            refuse("anchors and aliases are not read here, and `\(word)` is one", at: event.position, fix: fix)
        }
        if let tag = event.tag { refuse("tags are not read here, and `\(tag)` is one", at: event.position, fix: "remove it") }
    }

    private mutating func refuse(_ what: String, at position: SourcePosition, fix: String) {
        problems.append(Problem(what, at: position, fix: fix))
        isTrusted = false
    }

    private mutating func next(_ parser: UnsafeMutablePointer<yaml_parser_t>) throws(Stop) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            problems.append(YAMLFault(parser.pointee, bytes: bytes, end: end).problem)
            throw Stop()
        }
        defer { yaml_event_delete(&event) }
        return YAMLEvent(event, end: end)
    }
}
