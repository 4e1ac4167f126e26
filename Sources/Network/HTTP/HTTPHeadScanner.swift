#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Finds where a head ends, without looking at any byte twice as more of them arrive.
struct HTTPHeadScanner: Sendable {
    private var scanned = 0
    private var lineStart = 0

    /// Returns the length of the head including its empty line, or nil while that is not there yet.
    ///
    /// `bytes` begins with the head each time. A line that ends in LF alone is refused at once, and so is a first byte that begins no
    /// head, such as that of a TLS handshake.
    mutating func end(in bytes: UnsafeRawBufferPointer, bytesMax: Int) throws(HTTPFault) -> Int? {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return nil }
        guard HTTPByteSet.token.contains(bytes[0]) else { throw .malformed("The message does not begin with a token.") }
        let limit = min(bytes.count, bytesMax, HTTPHeaders.storageBytesMax)
        while scanned < limit {
            guard let found = memchr(base + scanned, Int32(ASCII.lf), limit - scanned) else {
                scanned = limit
                break
            }
            let lf = UnsafeRawPointer(found) - base
            guard lf > 0, bytes[lf - 1] == ASCII.cr else { throw .malformed("A line ends without a carriage return.") }
            if lineStart == lf - 1 { return lf + 1 }
            lineStart = lf + 1
            scanned = lf + 1
        }
        guard bytes.count < bytesMax else { throw HTTPFault(431, "The header is larger than \(bytesMax) bytes.") }
        return nil
    }
}
