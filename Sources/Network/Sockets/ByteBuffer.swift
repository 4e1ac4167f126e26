#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A growable queue of bytes: appended at the end, consumed at the front.
///
/// An empty one gives back memory beyond 2 KiB. Offsets count from the first unconsumed byte.
package struct ByteBuffer: Sendable {
    private static let keptBytesMax = 2048
    private var storage: [UInt8]
    private var start = 0

    package init(_ bytes: [UInt8] = []) { storage = bytes }

    package var count: Int { storage.count - start }
    package var isEmpty: Bool { storage.count == start }

    package subscript(offset: Int) -> UInt8 { storage[start + offset] }

    /// The unconsumed bytes, for the time of the call.
    package func withUnsafeBytes<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result) throws(Failure) -> Result {
        let start = start
        var outcome: Swift.Result<Result, Failure>?
        storage.withUnsafeBytes { all in
            do throws(Failure) {
                outcome = .success(try body(UnsafeRawBufferPointer(rebasing: all[start...])))
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else { fatalError("the body was not called") }
        return try outcome.get()
    }

    /// The unconsumed bytes as a span, for the time of the call.
    package func withSpan<Result, Failure: Error>(_ body: (Span<UInt8>) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(storage.span.extracting(start..<storage.count))
    }

    /// The offset of the first such byte at or after `offset`.
    package func firstIndex(of byte: UInt8, from offset: Int = 0) -> Int? {
        withUnsafeBytes { bytes in
            guard offset < bytes.count, let base = bytes.baseAddress, let hit = memchr(base + offset, Int32(byte), bytes.count - offset) else {
                return nil
            }
            return UnsafeRawPointer(hit) - base
        }
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        compact(for: bytes.count)
        storage.append(contentsOf: bytes)
    }

    package mutating func append(_ bytes: [UInt8]) {
        if isEmpty, bytes.count > Self.keptBytesMax {
            storage = bytes
            start = 0
        } else {
            bytes.withUnsafeBytes { append($0) }
        }
    }

    /// Makes room for this many bytes to come; have a limit of your own on what a peer may announce.
    package mutating func reserve(_ bytes: Int) {
        compact(for: bytes)
        storage.reserveCapacity(storage.count + bytes)
    }

    /// Drops the first bytes.
    package mutating func consume(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= count, "consumed more than there is")
        start += bytes
        if start == storage.count { empty() }
    }

    /// Takes out the first bytes; without a copy when they are all there is.
    package mutating func take(_ bytes: Int) -> [UInt8] {
        precondition(bytes >= 0 && bytes <= count, "took more than there is")
        if start == 0, bytes == storage.count, bytes > Self.keptBytesMax {
            let all = storage
            storage = []
            return all
        }
        let taken = Array(storage[start..<start + bytes])
        consume(bytes)
        return taken
    }

    private mutating func empty() {
        start = 0
        storage.removeAll(keepingCapacity: storage.capacity <= Self.keptBytesMax)
    }

    /// Moves the unconsumed bytes to the front when that saves growing.
    private mutating func compact(for bytes: Int) {
        guard start > 0, storage.count + bytes > storage.capacity || start > storage.count / 2 else { return }
        storage.removeSubrange(0..<start)
        start = 0
    }
}
