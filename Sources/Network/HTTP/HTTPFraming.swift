/// How the length of a message's body is told (RFC 9112 §6.3).
enum HTTPFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
    /// A response whose end is the end of the connection.
    case untilClose
}

extension HTTPHeaders {
    /// What Content-Length and Transfer-Encoding say, or nil when neither is there.
    ///
    /// Two readings of one message are how requests are smuggled past a proxy, so whatever is not plain is refused rather than guessed.
    func framing() throws(HTTPFault) -> HTTPFraming? {
        let lengths = count(of: "content-length")
        let codings = count(of: "transfer-encoding")
        if codings > 0 {
            guard lengths == 0 else { throw .malformed("Content-Length and Transfer-Encoding exclude each other.") }
            guard codings == 1 else { throw .malformed("Transfer-Encoding is repeated.") }
            guard isEqual("transfer-encoding", "chunked") else { throw HTTPFault(501, "The only transfer coding understood is chunked.") }
            return .chunked
        }
        guard lengths > 0 else { return nil }
        guard lengths == 1, let digits = bytes(of: "content-length") else { throw .malformed("Content-Length is repeated.") }
        guard digits.count > 0, digits.count <= 18 else { throw .malformed("Content-Length is not a length.") }
        var length = 0
        for digit in digits {
            guard ASCII.isDigit(digit) else { throw .malformed("Content-Length is not a number.") }
            length = length * 10 + Int(digit &- 48)
        }
        return .length(length)
    }
}
