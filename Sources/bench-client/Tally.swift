#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What was measured: the time of each call, and what went wrong.
struct Tally: Sendable {
    /// In nanoseconds.
    private var times: [UInt32] = []
    private(set) var errors = 0
    private(set) var firstError: String?
    private var start: UInt64 = 0
    private var end: UInt64 = 0
    private var startCPU: UInt64 = 0
    private var endCPU: UInt64 = 0

    /// Of the machine's monotonic clock, in nanoseconds.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func cpuTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    mutating func begin() {
        times.reserveCapacity(1 << 20)
        startCPU = Self.cpuTime()
        start = Self.now()
    }

    mutating func finish() {
        end = Self.now()
        endCPU = Self.cpuTime()
    }

    var callCount: Int { times.count }

    mutating func record(_ nanoseconds: UInt64) { times.append(UInt32(clamping: nanoseconds)) }

    mutating func record(error: String) {
        errors += 1
        if firstError == nil { firstError = error }
    }

    /// One line of JSON. The client's own cost per call stands beside the rest, so that one sees whether it is what was measured.
    func summary(_ more: [(String, String)] = []) -> String {
        let sorted = times.sorted()
        let seconds = Double(max(1, end - start)) / 1e9
        let calls = Double(max(1, times.count))
        var members = more
        members.append(("calls", "\(times.count)"))
        members.append(("errors", "\(errors)"))
        members.append(("seconds", Self.rounded(seconds, places: 3)))
        members.append(("calls_per_second", Self.rounded(Double(times.count) / seconds, places: 0)))
        for (name, share) in [("p50_us", 0.5), ("p99_us", 0.99), ("max_us", 1.0)] {
            let value = sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
            members.append((name, Self.rounded(Double(value) / 1000, places: 1)))
        }
        members.append(("client_cpu_us", Self.rounded(Double(endCPU - startCPU) / 1000 / calls, places: 2)))
        if let firstError { members.append(("first_error", "\"" + firstError.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline } + "\"")) }
        return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    static func rounded(_ number: Double, places: Int) -> String {
        guard places > 0 else { return String(Int(number.rounded())) }
        let factor = (0..<places).reduce(1.0) { product, _ in product * 10 }
        return String((number * factor).rounded() / factor)
    }
}
