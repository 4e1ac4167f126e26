import CShims
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The signals of the process, brought to a loop.
package enum Signals {
    private static let forwarding = Mutex<PipeEnds?>(nil)

    private struct PipeEnds {
        let reading: Int32
        let writing: Int32
    }

    /// Ignores SIGPIPE: a write to a closed pipe is an error, not the end of us. Every loop sees to it.
    package static func ignoreBrokenPipes() { shim_ignore_sigpipe() }

    /// Calls the handler on the loop whenever one of the signals arrives. Once for the process; throws `.io` on a second call.
    package static func onSignal(_ signals: [Int32], loop: EventLoop, handler: @escaping @Sendable (Int32) -> Void) throws(NetworkError) {
        let ends = try forwarding.withLock { known throws(NetworkError) -> PipeEnds in
            guard known == nil else { throw NetworkError(.io(EBUSY), "signals are already handled") }
            let ends = try Self.pipe()
            known = ends
            return ends
        }
        loop.execute {
            let reader = PipeReader(
                descriptor: ends.reading, loop: loop, onBytes: { bytes in bytes.forEach { handler(Int32($0)) } }, onEnd: {})
            _ = reader.start()
        }
        for signal in signals where shim_forward_signal(signal, ends.writing) != 0 {
            throw .io("signal \(signal) cannot be handled")
        }
    }

    private static func pipe() throws(NetworkError) -> PipeEnds {
        var ends: [Int32] = [-1, -1]
        guard shim_pipe(&ends) == 0 else { throw .io("pipe") }
        System.setNonBlocking(ends[0])
        System.setNonBlocking(ends[1])
        return PipeEnds(reading: ends[0], writing: ends[1])
    }
}
