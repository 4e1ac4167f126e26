/// What may name a user, a client or a group.
enum CallerName {
    static let bytesMax = 256

    /// 1 to 256 bytes without control characters and line ends, for names stand in log lines, and without U+FFFD, as which several broken
    /// spellings read.
    static func isFit(_ name: String) -> Bool {
        (1...bytesMax).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.properties.generalCategory != .control && !["\u{FFFD}", "\u{2028}", "\u{2029}"].contains(scalar)
            }
    }
}
