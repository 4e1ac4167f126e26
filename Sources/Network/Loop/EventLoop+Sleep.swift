import Synchronization

extension EventLoop {
    /// Waits, on the loop if the caller is there; ends early with an error when the task is cancelled or the loop stops.
    package func sleep(for duration: Duration) async throws(CancellationError) {
        guard isCurrent else {
            do { try await Task.sleep(for: duration) } catch { throw CancellationError() }
            return
        }
        let nap = Nap(loop: self)
        let rested = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in nap.begin(duration, continuation) }
        } onCancel: {
            self.execute { nap.end(false) }
        }
        guard rested else { throw CancellationError() }
    }
}

/// One sleep; touched on its loop only.
private final class Nap: @unchecked Sendable {
    private let loop: EventLoop
    private var timer: LoopTimer?
    private var sleeper: UnsafeContinuation<Bool, Never>?

    init(loop: EventLoop) { self.loop = loop }

    func begin(_ duration: Duration, _ continuation: UnsafeContinuation<Bool, Never>) {
        guard !Task.isCancelled else { return continuation.resume(returning: false) }
        let end = loop.now.advanced(by: duration)
        sleeper = continuation
        timer = loop.schedule(at: end) { [self] in self.end(loop.now >= end) }
    }

    func end(_ rested: Bool) {
        timer?.cancel()
        timer = nil
        sleeper?.resume(returning: rested)
        sleeper = nil
    }
}
