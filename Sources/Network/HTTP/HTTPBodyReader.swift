/// Reads a body of any framing from the pieces it comes in.
struct HTTPBodyReader: Sendable {
    private enum State {
        case length(Int)
        case chunked(HTTPChunkedDecoder)
        case untilClose
        case done
    }

    private var state: State
    private let isRequest: Bool

    /// Makes a reader for the body that follows a head.
    init(_ framing: HTTPFraming, isRequest: Bool, overheadBytesMax: Int) {
        self.isRequest = isRequest
        state =
            switch framing {
            case .none, .length(0): .done
            case .length(let count): .length(count)
            case .chunked: .chunked(HTTPChunkedDecoder(allowsExtensions: !isRequest, overheadBytesMax: overheadBytesMax))
            case .untilClose: .untilClose
            }
    }

    /// Whether the body has been read to its end.
    var isDone: Bool {
        if case .done = state { true } else { false }
    }

    /// Whether the end of the connection is the end of the body.
    var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// How many bytes of known length are still to come, or nil.
    var remainingLength: Int? {
        if case .length(let count) = state { count } else { nil }
    }

    /// Notes that somebody else has read the rest.
    mutating func skipToEnd() { state = .done }

    /// Appends what `bytes` hold of the body to `body` and returns how many bytes were used.
    ///
    /// `softMax` and `hardMax` are sizes of `body`: the first ends this call, the second the message, with 413.
    mutating func read(_ bytes: UnsafeRawBufferPointer, into body: inout [UInt8], softMax: Int = .max, hardMax: Int) throws(HTTPFault) -> Int {
        switch state {
        case .done: return 0
        case .length(let remaining):
            guard remaining <= hardMax - body.count else { throw HTTPFault(413, "The body is larger than \(hardMax) bytes.") }
            let count = min(remaining, bytes.count, softMax - body.count)
            body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            state = count == remaining ? .done : .length(remaining - count)
            return count
        case .chunked(var decoder):
            let used = try decoder.decode(bytes, into: &body, softMax: softMax, hardMax: hardMax)
            state = decoder.isDone ? .done : .chunked(decoder)
            return used
        case .untilClose:
            let count = min(bytes.count, softMax - body.count)
            guard count <= hardMax - body.count else { throw HTTPFault(413, "The body is larger than \(hardMax) bytes.") }
            body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return count
        }
    }
}
