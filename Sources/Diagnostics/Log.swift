import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The operator's log: one line an event, on standard error, `TIME LEVEL [SUBJECT] message`.
///
/// Lines are free of control characters, whatever an upstream or a client sent. Never hand a secret to it.
package struct Log: Sendable {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error
        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    /// Lines below this level are dropped; set once at start.
    package static let threshold = Atomic<Int>(Level.info.rawValue)

    /// Whom the line is about: an upstream's or virtual server's name, or a part of the gateway.
    package let subject: String

    package init(_ subject: String) { self.subject = subject }

    package func debug(_ message: @autoclosure () -> String) { write(.debug, message) }
    package func info(_ message: @autoclosure () -> String) { write(.info, message) }
    package func warning(_ message: @autoclosure () -> String) { write(.warning, message) }
    package func error(_ message: @autoclosure () -> String) { write(.error, message) }

    private func write(_ level: Level, _ message: () -> String) {
        guard level.rawValue >= Self.threshold.load(ordering: .relaxed) else { return }
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var line = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        line += "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z "
        switch level {
        case .debug: line += "debug"
        case .info: line += "info"
        case .warning: line += "warning"
        case .error: line += "error"
        }
        line += " [\(subject)] "
        for scalar in message().unicodeScalars.prefix(4_000) {
            line.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        line += "\n"
        line.withUTF8 { bytes in _ = writeLine(bytes) }
    }

    private func writeLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        #if canImport(Glibc)
            Glibc.write(2, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(2, bytes.baseAddress, bytes.count)
        #endif
    }

    private func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
