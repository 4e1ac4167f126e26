import Testing

@testable import Auth

@Suite("Globs")
struct GlobTests {
    static let table: [(String, String, Bool)] = [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("**", "", true), ("?", "", false), ("?", "a", true),
        ("?", "ab", false), ("??", "ab", true), ("a", "a", true), ("a", "A", false), ("a", "b", false), ("list_*", "list_", true),
        ("list_*", "list_issues", true), ("list_*", "list", false), ("list_*", "relist_issues", false), ("*_issue", "get_issue", true),
        ("*_issue", "get_issues", false), ("get_*_id", "get_user_id", true), ("get_*_id", "get__id", true), ("get_*_id", "get_id", false),
        ("*a*b*", "xxaxxbxx", true), ("*a*b*", "xxbxxaxx", false), ("a*a", "a", false), ("a*a", "aa", true), ("a*a", "aba", true),
        ("*?", "", false), ("*?", "a", true), ("?*?", "a", false), ("?*?", "ab", true), ("*ab", "aab", true), ("*aab", "aaab", true),
        ("a.b", "axb", false), ("[a]", "a", false), ("[a]", "[a]", true), ("\\*", "*", false), ("\\*", "\\", true), ("a+", "aa", false),
        ("?", "é", true), ("?", "𝄞", true), ("caf?", "café", true), ("é", "é", true),
    ]

    @Test("`*` is any run, `?` one character, all else itself", arguments: table)
    func matches(pattern: String, name: String, isMatch: Bool) {
        #expect(Glob(pattern).matches(name) == isMatch)
    }

    @Test("all short patterns and names agree with the definition")
    func exhaustive() {
        let patterns = words(over: ["a", "b", "?", "*"], upTo: 4)
        let names = words(over: ["a", "b"], upTo: 4)
        for pattern in patterns {
            for name in names where Glob(pattern).matches(name) != isMatch(Array(pattern)[...], Array(name)[...]) {
                Issue.record("\(pattern) against \(name)")
            }
        }
    }

    @Test(
        "no pattern runs away",
        arguments: [("a*a*a*a*a*a*a*a*a*a*b", "a"), ("*a*a*a*a*a*a*a*a*a*b", "a"), ("*?*?*?*?*?*?*?*b", "c"), ("********b", "b")])
    func pathological(pattern: String, letter: String) {
        let name = String(repeating: letter, count: 2_000) + "x"
        var steps = 0
        #expect(!Glob(pattern).matches(name, steps: &steps))
        #expect(steps <= pattern.count * name.count)
    }

    private func words(over letters: [String], upTo length: Int) -> [String] {
        (0..<length).reduce(into: (all: [""], last: [""])) { words, _ in
            words.last = words.last.flatMap { word in letters.map { word + $0 } }
            words.all += words.last
        }.all
    }

    /// The definition, word for word.
    private func isMatch(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" { return isMatch(rest, name) || !name.isEmpty && isMatch(pattern, name.dropFirst()) }
        return !name.isEmpty && (first == "?" || first == name.first) && isMatch(rest, name.dropFirst())
    }
}
