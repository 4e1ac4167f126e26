/// What a person reads of what an upstream wrote.
///
/// Controls and characters that are not seen could make a text look like another one or like the client's own, or carry a second text for
/// the model (MCP 2026-07-28 client/elicitation, "Security Considerations").
extension String {
    /// Without them; line breaks and tabs become spaces.
    package var onOneLine: String {
        guard unicodeScalars.contains(where: { $0.isHidden || $0.isLineBreak }) else { return self }
        return shown { scalar in scalar.isLineBreak ? " " : nil }
    }

    /// Without them; line breaks and tabs stay.
    package var inPlainLines: String { hasHidden(exceptLines: true) ? shown { $0.isLineBreak ? $0 : nil } : self }

    /// Whether something is in it that is not seen, where only what is seen may be compared or sent back.
    package var hasHidden: Bool { hasHidden(exceptLines: false) }

    private func hasHidden(exceptLines: Bool) -> Bool {
        guard unicodeScalars.contains(where: \.isHidden) else { return false }
        let scalars = Array(unicodeScalars)
        return scalars.indices.contains { index in
            scalars[index].isHidden && !scalars.isNeeded(at: index) && !(exceptLines && scalars[index].isLineBreak)
        }
    }

    private func shown(_ replacement: (Unicode.Scalar) -> Unicode.Scalar?) -> String {
        let scalars = Array(unicodeScalars)
        var text = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            if let replacement = replacement(scalar) {
                text.append(replacement)
            } else if !scalar.isHidden || scalars.isNeeded(at: index) {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

extension [Unicode.Scalar] {
    /// Whether it is not seen itself, and what stands before or beside it would be another sign without it.
    fileprivate func isNeeded(at index: Int) -> Bool {
        guard index > 0 else { return false }
        let before = self[index - 1]
        switch self[index].value {
        case 0x200C, 0x200D: return isJoiner(at: index)
        // The form of an emoji, and of a letter of Mongolian; one each.
        case 0xFE0E, 0xFE0F: return before.properties.isEmoji
        case 0x180B...0x180D, 0x180F: return (0x1820...0x18AA).contains(before.value)
        default: return false
        }
    }

    /// Whether it is a joiner or non-joiner that its neighbours need: in a script that joins letters, or within an emoji.
    private func isJoiner(at index: Int) -> Bool {
        guard index + 1 < count else { return false }
        let (before, after) = (self[index - 1], self[index + 1])
        return before.isOfJoiningScript && after.isOfJoiningScript
            || self[index].value == 0x200D && (before.isPictorial || before.value == 0xFE0F) && after.isPictorial
    }
}

extension Unicode.Scalar {
    fileprivate var isLineBreak: Bool { self == "\n" || self == "\t" || value == 0x2028 || value == 0x2029 }

    fileprivate var isHidden: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F: true
        // Soft hyphen, grapheme joiner, mark of direction, fillers that are blank, vowel separator.
        case 0xAD, 0x034F, 0x061C, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x180B...0x180F: true
        // Of no width; marks, embeddings, overrides and isolates of direction; separators; invisible operators; deprecated controls.
        case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF0...0xFFFB: true
        // Format controls of Egyptian hieroglyphs, shorthand and music.
        case 0x13430...0x1343F, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A: true
        // Tags and variation selectors: second alphabets that nobody sees.
        case 0xE0000...0xE0FFF, 0xFE00...0xFE0F: true
        default: false
        }
    }

    /// Letters and marks from Arabic to Mongolian and of later blocks, where joiners change what is seen.
    fileprivate var isOfJoiningScript: Bool {
        switch value {
        case 0x0600...0x10FF, 0x1700...0x1CFF, 0xA800...0xABFF, 0xFB50...0xFDFF, 0xFE70...0xFEFC, 0x10A00...0x11FFF, 0x1E900...0x1E95F:
            switch properties.generalCategory {
            case .otherLetter, .lowercaseLetter, .uppercaseLetter, .modifierLetter, .nonspacingMark, .spacingMark: true
            default: false
            }
        default: false
        }
    }

    fileprivate var isPictorial: Bool { value > 0xFF && properties.isEmoji }
}
