extension Glob {
    /// Whether a careless reader could take the text for one that it matches: other case, invisible characters or blanks, letters that look like ASCII's.
    ///
    /// Stops a `deny` from being passed by `Main`, `main\u{200B}`, `ｍａｉｎ` or a Cyrillic `а`.
    func mayBeTaken(for text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        // By far the most common: two plain texts of different lengths.
        if isPlain, isLiteral, text.utf8.count != tokens.count, tokens.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return false }
        guard tokens.count <= GlobAutomaton.tokensMax else {
            return skeleton.intersects(Glob(tokens: text.unicodeScalars.compactMap { Self.skeleton(of: $0.value) }))
        }
        var automaton = GlobAutomaton(skeleton)
        for scalar in text.unicodeScalars {
            guard let token = Self.skeleton(of: scalar.value) else { continue }
            automaton.take(token)
            if automaton.isLost { return false }
        }
        return automaton.isAtEnd
    }

    /// What is left when case and invisible characters are dropped and what may look like ASCII is a wildcard.
    private var skeleton: Glob { Glob(tokens: tokens.compactMap(Self.skeleton)) }

    private static func skeleton(of token: Token) -> Token? {
        if token < 0x80 { return token <= 0x20 || token == 0x7F ? nil : (0x41...0x5A).contains(token) ? token | 0x20 : token }
        guard let scalar = Unicode.Scalar(token) else { return token }
        return isInvisible(scalar) ? nil : wildcard(for: scalar) ?? token
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .nonspacingMark, .enclosingMark, .spaceSeparator, .lineSeparator, .paragraphSeparator:
            return true
        default: return properties.isDefaultIgnorableCodePoint || properties.isWhitespace
        }
    }

    /// What stands for all that a careless reader may make of it; nil where that is nothing in ASCII.
    private static func wildcard(for scalar: Unicode.Scalar) -> Token? {
        if mayExpand.contains(where: { $0.contains(scalar.value) }) { return run }
        if mayLookLikeASCII.contains(where: { $0.contains(scalar.value) }) { return one }
        switch scalar.properties.generalCategory {
        // A newer reader knows more than the tables of this system.
        case .otherSymbol, .otherNumber, .letterNumber, .privateUse, .unassigned: return run
        case .decimalNumber, .modifierLetter, .modifierSymbol, .otherPunctuation, .dashPunctuation, .connectorPunctuation:
            return one
        default: return nil
        }
    }

    /// Ligatures, letterlike symbols and the like, which normalisation may turn into several letters.
    private static let mayExpand: [ClosedRange<Token>] = [
        0x00BC...0x00BE, 0x0132...0x0133, 0x0149...0x0149, 0x01C4...0x01CC, 0x01F1...0x01F3, 0x2000...0x218F, 0x2460...0x24FF, 0x3200...0x33FF,
        0xFB00...0xFB06, 0x1F100...0x1F1FF, 0xFFFD...0xFFFD,
    ]

    /// Scripts with letters like Latin ones: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee, Canadian, runes, Lisu, Vai, phonetic, full
    /// width, old Italic, Gothic, Deseret, Osage, Warang Citi, mathematical.
    private static let mayLookLikeASCII: [ClosedRange<Token>] = [
        0x0080...0x058F, 0x10A0...0x10FF, 0x13A0...0x167F, 0x16A0...0x16FF, 0x18B0...0x18FF, 0x1C80...0x1CBF, 0x1D00...0x1FFF, 0x2200...0x245F,
        0x2C60...0x2C7F, 0x2C80...0x2D7F, 0xA4D0...0xA63F,
        0xA640...0xA69F, 0xA720...0xA7FF, 0xAB30...0xABBF, 0xFE50...0xFE6F, 0xFF00...0xFFEF, 0x10280...0x1034F, 0x10400...0x104FF,
        0x10780...0x107BF, 0x118A0...0x118FF, 0x1D400...0x1D7FF,
    ]
}
