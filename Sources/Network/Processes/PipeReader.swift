#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads one descriptor of a loop, chunk by chunk, until its end; touched on its loop only. It does not close the descriptor.
final class PipeReader: Pollable {
    private let descriptor: Int32
    private let loop: EventLoop
    private let onBytes: (UnsafeRawBufferPointer) -> Void
    private let onEnd: () -> Void
    private(set) var isOpen = true
    private var isResuming = false

    init(descriptor: Int32, loop: EventLoop, onBytes: @escaping (UnsafeRawBufferPointer) -> Void, onEnd: @escaping () -> Void) {
        self.descriptor = descriptor
        self.loop = loop
        self.onBytes = onBytes
        self.onEnd = onEnd
    }

    /// Registers a descriptor that does not block; returns 0 or an error number.
    func start() -> Int32 { loop.add(self, descriptor: descriptor, interest: .readable) }

    func ready(_: Readiness) { read(chunks: 8) }

    func loopEnds() { end() }

    /// Reads what is there now, up to so many chunks; the rest in a later round, so that others get their turn.
    func read(chunks: Int) {
        for _ in 0..<chunks {
            guard isOpen else { return }
            let scratch = loop.pipeScratch
            let count = System.read(descriptor, scratch)
            if count > 0 {
                onBytes(UnsafeRawBufferPointer(rebasing: scratch[0..<count]))
            } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
                return end()
            } else if errno == EAGAIN {
                return
            }
        }
        guard !isResuming else { return }
        isResuming = true
        loop.executeHere { [self] in
            isResuming = false
            read(chunks: 8)
        }
    }

    /// Reads no more and does not call back.
    func stop() {
        guard isOpen else { return }
        isOpen = false
        loop.remove(descriptor: descriptor)
    }

    private func end() {
        guard isOpen else { return }
        stop()
        onEnd()
    }
}
