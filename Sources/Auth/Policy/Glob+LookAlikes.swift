extension Glob {
    /// Whether a careless reader could take the text for one that it matches: other case, invisible characters or blanks, letters that look like ASCII's.
    ///
    /// Stops a `deny` from being passed by `Main`, `main\u{200B}`, `ｍａｉｎ` or a Cyrillic `а`.
    func mayBeTaken(for text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        // By far the most common: two plain texts of different lengths.
        if isPlain, isLiteral, text.utf8.count != tokens.count, tokens.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) { return false }
        return skeleton.intersects(Glob(tokens: text.unicodeScalars.map(\.value)).skeleton)
    }

    /// What is left when case and invisible characters are dropped and what may look like ASCII is a wildcard.
    private var skeleton: Glob {
        Glob(
            tokens: tokens.compactMap { token in
                guard let scalar = Unicode.Scalar(token) else { return token }
                if token < 0x80 { return token <= 0x20 || token == 0x7F ? nil : (0x41...0x5A).contains(token) ? token | 0x20 : token }
                if Self.isInvisible(scalar) { return nil }
                if Self.mayExpand.contains(where: { $0.contains(token) }) { return Self.run }
                if Self.mayLookLikeASCII.contains(where: { $0.contains(token) }) { return Self.one }
                return token
            })
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .control, .format, .nonspacingMark, .enclosingMark, .spaceSeparator, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            return true
        default: return properties.isDefaultIgnorableCodePoint || properties.isWhitespace
        }
    }

    /// Ligatures, letterlike symbols and the like, which normalisation may turn into several letters.
    private static let mayExpand: [ClosedRange<Token>] = [
        0x00BC...0x00BE, 0x0132...0x0133, 0x0149...0x0149, 0x01C4...0x01CC, 0x01F1...0x01F3, 0x2000...0x218F, 0x2460...0x24FF, 0x3200...0x33FF,
        0xFB00...0xFB06, 0x1F100...0x1F1FF, 0xFFFD...0xFFFD,
    ]

    /// Scripts with letters like Latin ones: Latin, Greek, Cyrillic, Armenian, Cherokee, Lisu, phonetic, full width, mathematical.
    private static let mayLookLikeASCII: [ClosedRange<Token>] = [
        0x0080...0x058F, 0x13A0...0x13FF, 0x1C80...0x1C8F, 0x1D00...0x1FFF, 0x2200...0x245F, 0x2C60...0x2C7F, 0x2C80...0x2CFF, 0xA4D0...0xA4FF,
        0xA640...0xA69F, 0xA720...0xA7FF, 0xAB30...0xABBF, 0xFE50...0xFE6F, 0xFF00...0xFFEF, 0x10280...0x1032F, 0x10400...0x1044F,
        0x1D400...0x1D7FF,
    ]
}
