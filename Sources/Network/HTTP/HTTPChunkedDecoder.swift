/// Takes a chunked body apart, whatever pieces it comes in (RFC 9112 §7.1).
///
/// Trailer fields are checked and dropped.
struct HTTPChunkedDecoder: Sendable {
    private enum State {
        case size, extensions, sizeLF, data, dataCR, dataLF, trailerStart, trailerName, trailerValue, trailerLF, endLF, done
    }

    /// What a recipient must ignore a sender may abuse: requests with extensions are refused, responses' are skipped.
    let allowsExtensions: Bool
    /// The most bytes of one chunk's extensions, and of the trailers.
    let overheadBytesMax: Int

    private var state = State.size
    private var digits = 0
    private var remaining = 0
    private var overhead = 0

    /// Makes a decoder at the beginning of a body.
    init(allowsExtensions: Bool, overheadBytesMax: Int) {
        self.allowsExtensions = allowsExtensions
        self.overheadBytesMax = overheadBytesMax
    }

    /// Whether the last chunk and the trailers have been read.
    var isDone: Bool { state == .done }

    /// Appends the data in `bytes` to `body` and returns how many bytes were used; fewer than all once the body is done or `body` is full.
    ///
    /// Stops when `body` has reached `softMax` bytes. Throws 413 as soon as a chunk announces more than `hardMax` bytes in all.
    mutating func decode(
        _ bytes: UnsafeRawBufferPointer, into body: inout [UInt8], softMax: Int = .max, hardMax: Int = .max
    ) throws(HTTPFault) -> Int {
        var position = 0
        while position < bytes.count, state != .done {
            if state == .data {
                let count = min(remaining, bytes.count - position, softMax - body.count)
                guard count > 0 else { break }
                body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)]))
                position += count
                remaining -= count
                if remaining == 0 { state = .dataCR }
            } else {
                try step(bytes[position])
                position += 1
                if state == .data, remaining > hardMax - body.count { throw HTTPFault(413, "The body is larger than \(hardMax) bytes.") }
            }
        }
        return position
    }

    private mutating func step(_ byte: UInt8) throws(HTTPFault) {
        switch state {
        case .size: try stepSize(byte)
        case .extensions:
            try count()
            if byte == ASCII.cr { state = .sizeLF } else { try check(ASCII.isFieldValue(byte)) }
        case .sizeLF:
            try check(byte == ASCII.lf)
            state = remaining > 0 ? .data : .trailerStart
            digits = 0
        case .dataCR:
            try check(byte == ASCII.cr)
            state = .dataLF
        case .dataLF:
            try check(byte == ASCII.lf)
            state = .size
            overhead = 0
        case .trailerStart:
            if byte == ASCII.cr { state = .endLF } else { try stepTrailerName(byte) }
        case .trailerName:
            if byte == ASCII.colon { state = .trailerValue } else { try stepTrailerName(byte) }
        case .trailerValue:
            try count()
            if byte == ASCII.cr { state = .trailerLF } else { try check(ASCII.isFieldValue(byte)) }
        case .trailerLF:
            try check(byte == ASCII.lf)
            state = .trailerStart
        case .endLF:
            try check(byte == ASCII.lf)
            state = .done
        case .data, .done: break
        }
    }

    private mutating func stepSize(_ byte: UInt8) throws(HTTPFault) {
        if let value = ASCII.hexValue(byte) {
            // A size that overflows is a size that two hops read differently.
            try check(digits < 8)
            remaining = digits == 0 ? value : remaining << 4 | value
            digits += 1
            return
        }
        try check(digits > 0)
        if byte == ASCII.cr {
            state = .sizeLF
        } else {
            try check(allowsExtensions && (byte == UInt8(ascii: ";") || byte == ASCII.space || byte == ASCII.tab))
            state = .extensions
        }
    }

    private mutating func stepTrailerName(_ byte: UInt8) throws(HTTPFault) {
        try count()
        try check(HTTPByteSet.token.contains(byte))
        state = .trailerName
    }

    private mutating func count() throws(HTTPFault) {
        overhead += 1
        guard overhead <= overheadBytesMax else { throw HTTPFault(431, "The body's extensions or trailers are too large.") }
    }

    private func check(_ isRight: Bool) throws(HTTPFault) {
        guard isRight else { throw .malformed("The chunked body is malformed.") }
    }
}
