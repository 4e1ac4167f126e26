import Auth
import Diagnostics

/// Reads the texts of rules, with the place of a mistake inside them.
enum RuleTextReader {
    /// `user:`, `group:`, `client:` or `everyone`; a list, or one of them.
    static func who(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> [WhoPattern] {
        texts(node, name, example: "group:NAME", &findings).compactMap { element, text in
            read(element, &findings) { position throws(RuleError) in try WhoPattern(parsing: text, at: position) }
        }
    }

    /// Rules; a list, or one of them.
    static func rules(_ node: YAMLNode, _ name: String, isOfUpstream: Bool = false, hasPlainNames: Bool = false, _ findings: inout Findings) -> [Rule]
    {
        let example = isOfUpstream ? "UPSTREAM.TOOL" : "TOOL"
        if tellCut(node, &findings) { return [] }
        return texts(node, name, example: example, &findings).compactMap { element, text in
            read(element, &findings) { position throws(RuleError) in
                try Rule(parsing: text, isOfUpstream: isOfUpstream, hasPlainNames: hasPlainNames, at: position)
            }
        }
    }

    /// Whether YAML took the comma in a rule's brackets for the list's, which is told.
    private static func tellCut(_ node: YAMLNode, _ findings: inout Findings) -> Bool {
        guard case .sequence(let elements) = node.content else { return false }
        var isCut = false
        var start: (node: YAMLNode, text: String)?
        for element in elements {
            guard let scalar = element.scalar, scalar.isPlain else {
                start = nil
                continue
            }
            if let (first, text) = start {
                let whole = "\(text),\(scalar.text)"
                start = scalar.text.contains("(") ? nil : (first, whole)
                guard scalar.text.hasSuffix(")"), !scalar.text.contains("(") else { continue }
                findings.add(
                    "the comma ends this entry of the list, and cuts the rule in two", at: first.position, fix: "put the rule in quotes: \"\(whole)\""
                )
                isCut = true
                start = nil
            } else if scalar.text.contains("("), !scalar.text.contains(")") {
                start = (element, scalar.text)
            }
        }
        return isCut
    }

    private static func texts(_ node: YAMLNode, _ name: String, example: String, _ findings: inout Findings) -> [(YAMLNode, String)] {
        var elements = [node]
        if case .sequence(let nodes) = node.content { elements = nodes }
        if elements.isEmpty { findings.add("`\(name)` is empty", at: node.position, fix: "write `\(name): [\(example)]`, or remove it") }
        var found: [(node: YAMLNode, text: String)] = []
        for element in elements {
            if case .mapping = element.content {
                findings.add(
                    "`\(name)` must be a list of texts, not a mapping", at: element.position,
                    fix: "write `\(name): [\(example)]`; put a text with a colon and a blank in quotes")
                continue
            }
            guard let text = element.text(name, &findings) else { continue }
            if let first = found.first(where: { $0.text == text }) {
                findings.add(
                    "\(quoted(text)) stands here a second time; the first is at \(first.node.position)", at: element.position, fix: "keep one of them"
                )
                continue
            }
            found.append((element, text))
        }
        return found
    }

    private static func read<Value>(
        _ node: YAMLNode, _ findings: inout Findings, _ body: (SourcePosition) throws(RuleError) -> Value
    ) -> Value? {
        do throws(RuleError) {
            return try body(node.position)
        } catch {
            findings.add(error.what, at: node.position(ofScalar: error.offset), fix: error.fix)
            return nil
        }
    }
}

extension YAMLNode {
    /// Where a character of the text stands, as far as that can be told: texts on one line, without escapes before it.
    fileprivate func position(ofScalar offset: Int) -> SourcePosition {
        guard let scalar, !scalar.text.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\\" || $0 == "'" || !scalar.isPlain && $0 == "\"" })
        else {
            return position
        }
        var position = position
        position.column += offset + (scalar.isPlain ? 0 : 1)
        return position
    }
}
