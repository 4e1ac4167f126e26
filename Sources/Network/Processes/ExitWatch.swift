import CShims
import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Notices the end of a child and leaves the reaping to its owner; touched on its loop only.
final class ExitWatch: Pollable {
    private let pid: Int32
    private let loop: EventLoop
    private let onLoopEnd: () -> Void
    private var onExit: (() -> Void)?
    private var descriptor: Int32 = -1
    #if canImport(Darwin)
        private var source: (any DispatchSourceProcess)?
    #endif

    init(pid: Int32, loop: EventLoop, onExit: @escaping () -> Void, onLoopEnd: @escaping () -> Void) {
        self.pid = pid
        self.loop = loop
        self.onExit = onExit
        self.onLoopEnd = onLoopEnd
        #if canImport(Glibc)
            descriptor = shim_pidfd_open(pid)
            if descriptor < 0 || loop.add(self, descriptor: descriptor, interest: [.readable, .level]) != 0 { ask() }
        #else
            let carried = Carried(value: self)
            let source = DispatchSource.makeProcessSource(identifier: pid, eventMask: .exit, queue: .global())
            source.setEventHandler { loop.execute { carried.value.check() } }
            source.activate()
            self.source = source
            loop.executeHere { self.check() }
        #endif
    }

    func ready(_: Readiness) { check() }

    func loopEnds() {
        guard onExit != nil else { return }
        close()
        onLoopEnd()
    }

    /// Looks without reaping.
    private func check() {
        var info = siginfo_t()
        let answer = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        guard let onExit, answer != 0 || info.si_signo != 0 else { return }
        close()
        onExit()
    }

    private func close() {
        onExit = nil
        #if canImport(Darwin)
            source?.cancel()
        #endif
        guard descriptor >= 0 else { return }
        loop.remove(descriptor: descriptor)
        System.close(descriptor)
        descriptor = -1
    }

    /// For a kernel that gives out no descriptor for processes.
    private func ask() {
        _ = loop.schedule(after: .milliseconds(50)) { [self] in
            check()
            if onExit != nil { ask() }
        }
    }
}
