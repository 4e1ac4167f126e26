import Network

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

enum Processes {
    struct StillRuns: Error { let pid: Int }

    /// Waits until the process has ended and was reaped.
    static func end(of pid: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while kill(pid_t(pid), 0) == 0 {
            guard ContinuousClock.now < deadline else { throw StillRuns(pid: pid) }
            try await EventLoop.current?.sleep(for: .milliseconds(5))
        }
    }
}
