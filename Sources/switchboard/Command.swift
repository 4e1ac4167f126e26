import Diagnostics

/// One subcommand: its name, what `--help` says, and what it does.
struct Command: Sendable {
    let name: String
    let help: String
    let run: @Sendable ([String]) throws(UsageError) -> Int32

    static let all: [Command] = [demo, serve, stdio, check, tools, call, explain, accept, importing, snippet, key]

    static func named(_ name: String) throws(UsageError) -> Command {
        if let command = all.first(where: { $0.name == name }) { return command }
        let near = suggestion(for: name, among: all.map(\.name))
        throw UsageError(
            name.hasPrefix("-") ? "unknown option \(name)" : "there is no command “\(name)”",
            hint: near.map { "Did you mean `switchboard \($0)`?" } ?? "`switchboard --help` lists the commands")
    }
}

/// A subcommand's words, sorted into options and the rest.
struct Words {
    private var options: [String: String] = [:]
    private var lists: [String: [String]] = [:]
    private(set) var flags: Set<String> = []
    private(set) var rest: [String] = []

    /// `values` take a value (`--x V` or `--x=V`), `many` too and may stand there several times, `flags` take none.
    init(
        _ words: [String], of command: String, values: [String] = [], many: [String] = [], flags known: [String] = []
    ) throws(UsageError) {
        var words = ArraySlice(words)
        while let word = words.popFirst() {
            guard word.hasPrefix("--"), word != "--" else {
                if word == "--" {
                    rest += words
                    return
                }
                rest.append(word)
                continue
            }
            let name = String(word.prefix { $0 != "=" })
            if values.contains(name) || many.contains(name) {
                guard options[name] == nil else { throw UsageError("\(name) stands there twice") }
                guard let value = word.utf8.contains(UInt8(ascii: "=")) ? String(word.dropFirst(name.count + 1)) : words.popFirst() else {
                    throw UsageError("\(name) needs a value", hint: "`switchboard \(command) --help` shows how")
                }
                if many.contains(name) { lists[name, default: []].append(value) } else { options[name] = value }
            } else if known.contains(word) {
                flags.insert(word)
            } else {
                let near = suggestion(for: name, among: values + many + known)
                throw UsageError(
                    "`switchboard \(command)` has no option \(name)",
                    hint: near.map { "Did you mean \($0)?" } ?? "`switchboard \(command) --help` lists its options")
            }
        }
    }

    subscript(option: String) -> String? { options[option] }

    /// The values of an option that may stand there several times, in order.
    func all(_ option: String) -> [String] { lists[option] ?? [] }

    func required(_ option: String, _ what: String) throws(UsageError) -> String {
        guard let value = options[option] else { throw UsageError("\(option) is missing: \(what)") }
        return value
    }

    func expect(rest count: ClosedRange<Int>, _ what: String) throws(UsageError) {
        guard count.contains(rest.count) else {
            throw UsageError(rest.count < count.lowerBound ? "\(what) is missing" : "“\(rest[count.upperBound])” is one word too many")
        }
    }
}
