/// Reads a text step by step, keeping all the places of a pattern that it may have come to.
///
/// A text may have wildcards itself: a character that may stand for several. Time is that of the text, and it ends early where nothing fits.
struct GlobAutomaton {
    /// Longest pattern, in tokens.
    static let tokensMax = 62

    private let tokens: [Glob.Token]
    /// The places, a bit each: so many tokens of the pattern are used up.
    private var places: UInt64 = 1
    private let runs: UInt64

    init(_ glob: Glob) {
        tokens = glob.tokens
        runs = glob.tokens.indices.reduce(0) { glob.tokens[$1] == Glob.run ? $0 | 1 << UInt64($1) : $0 }
        skipRuns()
    }

    /// Whether no text that goes on like this matches.
    var isLost: Bool { places == 0 }
    /// Whether the text so far matches.
    var isAtEnd: Bool { places >> UInt64(tokens.count) & 1 == 1 }

    mutating func take(_ token: Glob.Token) {
        if token == Glob.run {
            // Nothing, or any number of characters.
            places = (~0 << UInt64(places.trailingZeroBitCount)) & (1 << UInt64(tokens.count + 1) - 1)
            return
        }
        var next = places & runs
        var rest = places & ~runs
        while rest != 0 {
            let at = rest.trailingZeroBitCount
            rest &= rest - 1
            guard at < tokens.count else { continue }
            if tokens[at] == token || tokens[at] == Glob.one || token == Glob.one { next |= 2 << UInt64(at) }
        }
        places = next
        skipRuns()
    }

    /// A wildcard may stand for nothing.
    private mutating func skipRuns() {
        var open = places & runs
        while open != 0 {
            places |= open << 1
            open = (open << 1) & runs
        }
    }
}
