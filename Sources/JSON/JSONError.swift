/// Why a text is not JSON that we accept, and at which byte.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Hashable, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "a character that does not belong here"
        case invalidNumber = "a malformed number"
        case invalidEscape = "a malformed escape in a string"
        case controlCharacter = "a bare control character in a string"
        case invalidUTF8 = "a string that is not UTF-8"
        case tooDeep = "nesting that is too deep"
        case trailingBytes = "something after the end of the value"
        case wrongKind = "a value of another kind than expected"
        case duplicateKey = "a member that stands there twice"
    }

    package let reason: Reason
    /// Counted in bytes from 0.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason.rawValue), at byte \(offset)" }
}
