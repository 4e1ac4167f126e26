/// Puts lines into the file, in order and whole, whatever happens to the file in between. Blocking: for the audit's own queue.
struct AuditWriter: ~Copyable {
    private let destination: AuditSettings.Destination
    private var file: AuditFile?
    /// Rendered lines of which the first `done` bytes are written.
    var lines: [UInt8] = []
    private var done = 0
    private(set) var isUnsynchronized = false

    init(_ destination: AuditSettings.Destination) { self.destination = destination }

    /// Whether there is nothing that was given to it and is not written.
    var isEmpty: Bool { lines.isEmpty }

    /// Writes all lines; what could not be written is kept for the next attempt.
    mutating func write() throws(AuditFailure) {
        try reopenIfMoved()
        while done < lines.count {
            guard let count = try file?.write(lines, from: done) else { throw AuditFailure("it is not open") }
            done += count
            isUnsynchronized = true
        }
        lines.removeAll(keepingCapacity: lines.capacity <= 1 << 20)
        done = 0
    }

    /// Opens the file anew where its path leads somewhere else now: a line that is written in part begins again there.
    mutating func reopenIfMoved() throws(AuditFailure) {
        if file?.isCurrent == true { return }
        try? file?.synchronize()
        file = nil
        file = try Self.open(destination)
        lines.removeFirst(lines[..<done].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
        done = 0
    }

    mutating func synchronize() throws(AuditFailure) {
        isUnsynchronized = false
        try file?.synchronize()
    }

    private static func open(_ destination: AuditSettings.Destination) throws(AuditFailure) -> AuditFile {
        let file = try AuditFile(destination)
        try file.endLastLine()
        return file
    }
}
