#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes on their way to a descriptor that does not take them all at once.
struct OutputQueue {
    private struct Chunk {
        var bytes: [UInt8]
        var sent = 0
    }

    enum Outcome: Equatable {
        case empty
        case blocked
        case failed(Int32)
    }

    private var chunks: [Chunk] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Queues the bytes from `sent` on; small ones join the one before.
    mutating func append(_ bytes: [UInt8], sent: Int = 0) {
        guard bytes.count > sent else { return }
        count += bytes.count - sent
        if bytes.count - sent <= 1024, let last = chunks.indices.last, last >= head, chunks[last].bytes.count <= 8192 {
            chunks[last].bytes.append(contentsOf: bytes[sent...])
        } else {
            chunks.append(Chunk(bytes: bytes, sent: sent))
        }
    }

    mutating func removeAll() {
        chunks = []
        head = 0
        count = 0
    }

    /// Writes until nothing is left or the descriptor blocks.
    mutating func flush(to descriptor: Int32) -> Outcome {
        while head < chunks.count {
            let sent = chunks[head].sent
            let written = chunks[head].bytes.withUnsafeBytes { System.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            guard written >= 0 else {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .blocked : .failed(errno)
            }
            count -= written
            chunks[head].sent += written
            guard chunks[head].sent == chunks[head].bytes.count else { continue }
            chunks[head].bytes = []
            head += 1
            if head == chunks.count || head > 64 {
                chunks.removeFirst(head)
                head = 0
            }
        }
        return .empty
    }

    /// Writes two parts at once if nothing is queued before them, and queues what is not taken.
    mutating func write(_ first: [UInt8], _ second: [UInt8], to descriptor: Int32) -> Outcome {
        guard isEmpty else {
            append(first)
            append(second)
            return .blocked
        }
        let written = first.withUnsafeBytes { a in second.withUnsafeBytes { b in System.write(descriptor, a, b) } }
        if written < 0, errno != EAGAIN, errno != EINTR { return .failed(errno) }
        let taken = max(0, written)
        append(first, sent: min(taken, first.count))
        append(second, sent: max(0, taken - first.count))
        if isEmpty { return .empty }
        return flush(to: descriptor)
    }
}
