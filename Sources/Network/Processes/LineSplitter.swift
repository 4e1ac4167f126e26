#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Cuts a stream into lines; blank ones are passed over, a carriage return at the end is dropped.
struct LineSplitter {
    enum Item {
        case line([UInt8])
        /// A line beyond the limit: its beginning; the rest is skipped.
        case overlong([UInt8])
    }

    let lineBytesMax: Int
    private var partial: [UInt8] = []
    private var isSkipping = false

    init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ each: (Item) -> Void) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            guard let hit = memchr(base, 10, rest.count) else {
                extend(rest, each)
                return
            }
            let length = UnsafeRawPointer(hit) - base
            extend(UnsafeRawBufferPointer(rebasing: rest[0..<length]), each)
            endLine(each)
            rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
        }
    }

    /// The stream has ended: what is left is a line too.
    mutating func finish(_ each: (Item) -> Void) { endLine(each) }

    private mutating func extend(_ bytes: UnsafeRawBufferPointer, _ each: (Item) -> Void) {
        guard !isSkipping else { return }
        let room = lineBytesMax - partial.count
        guard bytes.count > room else { return partial.append(contentsOf: bytes) }
        partial.append(contentsOf: bytes[0..<room])
        isSkipping = true
        each(.overlong(partial))
        partial = []
    }

    private mutating func endLine(_ each: (Item) -> Void) {
        if isSkipping {
            isSkipping = false
            return
        }
        if partial.last == 13 { partial.removeLast() }
        guard !partial.isEmpty else { return }
        let line = partial
        partial = []
        each(.line(line))
    }
}
