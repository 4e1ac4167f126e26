import Diagnostics

/// Reads a rule's text: what it is about and, in brackets, conditions on the arguments.
///
///     RULE      = WHAT [ "(" CONDITION *( "," CONDITION ) ")" ]
///     CONDITION = NAME *( "." NAME ) ( "=" / "!=" ) VALUE *( "|" VALUE )
///     VALUE     = a word with the wildcards * and ?, in which \ makes the next character plain, or a text in double quotes
struct RuleParser {
    static let bytesMax = 1_024
    static let conditionsMax = 16
    static let valuesMax = 64
    static let depthMax = 8

    /// `policy`: names are `upstream.name`.
    let isOfUpstream: Bool
    /// Roles: whether exposed names are the upstreams' own.
    private let hasPlainNames: Bool
    private let scalars: [Unicode.Scalar]
    private var at = 0

    init(_ text: String, isOfUpstream: Bool, hasPlainNames: Bool) {
        self.isOfUpstream = isOfUpstream
        self.hasPlainNames = hasPlainNames
        scalars = Array(text.unicodeScalars)
    }

    mutating func parse(_ reference: RuleReference) throws(RuleError) -> Rule {
        guard reference.text.utf8.count <= Self.bytesMax else {
            throw RuleError("a rule is longer than \(Self.bytesMax) bytes", at: 0, fix: "write several")
        }
        let isResource = reference.text.hasPrefix("resource:")
        // URIs may hold brackets, and resources have no arguments.
        let end = isResource ? scalars.count : scalars.firstIndex(of: "(") ?? scalars.count
        let name = String(scalars[..<end]).trimmingBlanks
        at = end
        let (matter, upstream) = try isOfUpstream ? upstreamMatter(name) : exposedMatter(name)
        let conditions = at < scalars.count ? try conditions() : []
        return Rule(matter: matter, upstream: upstream, isOfUpstream: isOfUpstream, conditions: conditions, reference: reference)
    }

    // MARK: - What

    private func exposedMatter(_ name: String) throws(RuleError) -> (Rule.Matter, Glob?) {
        switch name {
        case "":
            throw RuleError("this rule does not say what it is about", at: 0, fix: "write a tool's name, a pattern, @read, @write, @destructive or *")
        case "*": return (.everything, nil)
        default: break
        }
        if name.hasPrefix("@") { return (.toolClass(try toolClass(name, at: 0)), nil) }
        if let rest = try rest(of: name, behind: "prompt:") { return (.prompts(Glob(rest)), nil) }
        if let rest = try rest(of: name, behind: "resource:") { return (.resources(Glob(rest)), nil) }
        if let colon = name.firstIndex(of: ":") {
            let prefix = String(name[..<colon])
            let isWho = ["user", "group", "client"].contains(prefix)
            let near = suggestion(for: prefix, among: ["prompt", "resource"]).map { "did you mean \($0):\(name[name.index(after: colon)...])?" }
            throw RuleError(
                isWho ? "\"\(name)\" says who, not what" : "\"\(name)\" is no rule", at: 0,
                fix: isWho ? "put it under `who`" : near ?? "write a tool's exposed name, prompt:NAME or resource:URI")
        }
        let isWhole = name.unicodeScalars.allSatisfy { scalar in
            scalar == "*" || scalar == "?" || scalar == "_" || scalar == "-" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
                || ("0"..."9").contains(scalar)
        }
        if isWhole { return (.tools(Glob(name)), nil) }
        if let dot = name.firstIndex(of: ".") {
            let tool = name[name.index(after: dot)...]
            throw RuleError(
                "\"\(name)\" has a dot, and roles use the exposed names", at: name.unicodeScalars.distance(from: name.startIndex, to: dot),
                fix: hasPlainNames ? "write \(tool)" : "write \(name[..<dot])_\(tool), or what `as:` says")
        }
        throw RuleError("\"\(name)\" can't be the name of an exposed tool", at: 0, fix: "names hold A-Z, a-z, 0-9, _ and -; patterns also * and ?")
    }

    private func upstreamMatter(_ name: String) throws(RuleError) -> (Rule.Matter, Glob?) {
        switch name {
        case "": throw RuleError("this rule does not say what it is about", at: 0, fix: "write upstream.tool, or *.@destructive")
        case "*", "*.*": return (.everything, nil)
        default: break
        }
        if let uri = try rest(of: name, behind: "resource:") { return (.resources(Glob(uri)), nil) }
        let prompt = try rest(of: name, behind: "prompt:")
        let whole = prompt ?? name
        guard let dot = whole.firstIndex(of: "."), dot != whole.startIndex, whole.index(after: dot) != whole.endIndex else {
            let rest = whole.filter { $0 != "." }
            let fix = rest.hasPrefix("@") ? "write *.\(rest) for every upstream" : "write UPSTREAM.\(rest.isEmpty ? "TOOL" : rest), or *.\(rest)"
            throw RuleError("\"\(name)\" does not say of which upstream", at: 0, fix: fix)
        }
        let upstream = Glob(String(whole[..<dot]))
        let rest = String(whole[whole.index(after: dot)...])
        if prompt != nil { return (.prompts(Glob(rest)), upstream) }
        if rest == "*" { return (.everything, upstream) }
        if rest.hasPrefix("@") {
            return (.toolClass(try toolClass(rest, at: whole.unicodeScalars.distance(from: whole.startIndex, to: dot) + 1)), upstream)
        }
        guard !rest.unicodeScalars.contains(where: \.properties.isWhitespace) else {
            throw RuleError("\"\(name)\" holds a blank", at: 0, fix: "write upstream.tool")
        }
        return (.tools(Glob(rest)), upstream)
    }

    private func toolClass(_ name: String, at offset: Int) throws(RuleError) -> ToolClass {
        if let known = ToolClass.named.first(where: { $0.key == name }) { return known.value }
        let names = ToolClass.named.map(\.key)
        let fix = suggestion(for: name, among: names).map { "did you mean \($0)?" } ?? "the classes are \(names.joined(separator: ", "))"
        throw RuleError("there is no class \(name)", at: offset, fix: fix)
    }

    private func rest(of name: String, behind prefix: String) throws(RuleError) -> String? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = String(name.dropFirst(prefix.count))
        guard !rest.isEmpty else { throw RuleError("\"\(name)\" names nothing", at: prefix.count, fix: "write \(prefix)* for all") }
        return rest
    }

    // MARK: - Conditions

    private mutating func conditions() throws(RuleError) -> [Condition] {
        at += 1
        var conditions: [Condition] = []
        while true {
            conditions.append(try condition())
            guard conditions.count <= Self.conditionsMax else {
                throw RuleError("a rule has more than \(Self.conditionsMax) conditions", at: at, fix: "write several rules")
            }
            skipBlanks()
            guard at < scalars.count else { throw RuleError("the bracket is not closed", at: at, fix: "write `)` at the end") }
            let next = scalars[at]
            at += 1
            if next == "," { continue }
            if next == ")" { break }
            if next == "=" {
                throw RuleError("a second `=` in one condition", at: at - 1, fix: "put a value that holds one in double quotes")
            }
            throw RuleError(
                "\"\(next)\" does not belong here", at: at - 1,
                fix: "join conditions with `,`, values with `|`; put a value with these in double quotes")
        }
        skipBlanks()
        guard at == scalars.count else {
            throw RuleError("something stands behind the bracket", at: at, fix: "end the rule with `)`; put a value that holds `)` in double quotes")
        }
        return conditions
    }

    private mutating func condition() throws(RuleError) -> Condition {
        skipBlanks()
        let start = at
        let path = try path()
        guard !path.contains("") else { throw RuleError("a condition names no argument", at: start, fix: "write `argument=value`") }
        guard path.count <= Self.depthMax else {
            throw RuleError("an argument lies more than \(Self.depthMax) levels deep", at: start, fix: "name one further out")
        }
        var isNegated = false
        if at < scalars.count, scalars[at] == "!" {
            isNegated = true
            at += 1
        }
        guard at < scalars.count, scalars[at] == "=" else {
            throw RuleError("the condition on \"\(path.joined(separator: "."))\" has no `=`", at: at, fix: "write `=` or `!=`, and a value")
        }
        at += 1
        var values = [try value()]
        skipBlanks()
        while at < scalars.count, scalars[at] == "|" {
            at += 1
            values.append(try value())
            skipBlanks()
            guard values.count <= Self.valuesMax else {
                throw RuleError("a condition has more than \(Self.valuesMax) values", at: at, fix: "use a pattern, or write several rules")
            }
        }
        return Condition(path: path, isNegated: isNegated, values: values)
    }

    /// Up to `=`, `!` or what can't be in a name; a dot parts the levels, `\.` is a dot in a name.
    private mutating func path() throws(RuleError) -> [String] {
        var path = [""]
        while at < scalars.count {
            let scalar = scalars[at]
            if ["=", "!", ",", ")", "(", "|", "\""].contains(scalar) { break }
            at += 1
            if scalar == "." {
                path.append("")
            } else if scalar == "\\" {
                guard at < scalars.count else { throw RuleError("a backslash at the end", at: at - 1, fix: "remove it") }
                path[path.count - 1].unicodeScalars.append(scalars[at])
                at += 1
            } else {
                path[path.count - 1].unicodeScalars.append(scalar)
            }
        }
        return path.map(\.trimmingBlanks)
    }

    private mutating func value() throws(RuleError) -> ConditionValue {
        skipBlanks()
        if at < scalars.count, scalars[at] == "\"" { return try quoted() }
        let start = at
        var tokens: [Glob.Token] = []
        var text = String.UnicodeScalarView()
        var kept = 0
        while at < scalars.count, ![",", "|", ")", "(", "=", "\""].contains(scalars[at]) {
            var scalar = scalars[at]
            var token = scalar == "*" ? Glob.run : scalar == "?" ? Glob.one : scalar.value
            at += 1
            if scalar == "\\" {
                guard at < scalars.count else { throw RuleError("a backslash at the end", at: at - 1, fix: "remove it") }
                scalar = scalars[at]
                token = scalar.value
                at += 1
                kept = tokens.count + 1
            } else if scalar != " " {
                kept = tokens.count + 1
            }
            tokens.append(token)
            text.append(scalar)
        }
        guard kept > 0 else { throw RuleError("a value is missing", at: start, fix: "write one, or \"\" for the empty text") }
        if at < scalars.count, scalars[at] == "(" || scalars[at] == "\"" {
            throw RuleError("\"\(scalars[at])\" in a value", at: at, fix: "put the whole value in double quotes, with \\ before a quote")
        }
        return ConditionValue(word: String(String.UnicodeScalarView(text.prefix(kept))), glob: Glob(tokens: Array(tokens.prefix(kept))))
    }

    private mutating func quoted() throws(RuleError) -> ConditionValue {
        let start = at
        at += 1
        var text = String.UnicodeScalarView()
        while at < scalars.count {
            var scalar = scalars[at]
            at += 1
            if scalar == "\"" { return ConditionValue(quoted: String(text)) }
            if scalar == "\\", at < scalars.count {
                scalar = scalars[at]
                at += 1
            }
            text.append(scalar)
        }
        throw RuleError("a quote is not closed", at: start, fix: "write a second `\"`")
    }

    private mutating func skipBlanks() { while at < scalars.count, scalars[at] == " " { at += 1 } }
}

extension Rule {
    /// Reads a rule of a role, whose names are the exposed ones, or of `policy`, whose names are `upstream.name`.
    ///
    /// `hasPlainNames` where the exposed names are the upstreams' own: for what messages propose.
    package init(parsing text: String, isOfUpstream: Bool = false, hasPlainNames: Bool = false, at position: SourcePosition) throws(RuleError) {
        var parser = RuleParser(text, isOfUpstream: isOfUpstream, hasPlainNames: hasPlainNames)
        self = try parser.parse(RuleReference(text: text, position: position))
    }
}

extension String {
    fileprivate init(_ scalars: ArraySlice<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }

    fileprivate var trimmingBlanks: String {
        var rest = unicodeScalars[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(String.UnicodeScalarView(rest))
    }
}
