#if canImport(Glibc)
    import CShims
    import Glibc

    /// epoll: the descriptors that a loop waits for, and a bell that any thread may ring.
    struct Poller: ~Copyable {
        private static let bellToken = UInt64.max
        private let descriptor: Int32
        private let bell: Int32
        private let events: UnsafeMutableBufferPointer<shim_event>

        init() {
            descriptor = shim_epoll_create()
            bell = shim_eventfd()
            precondition(descriptor >= 0 && bell >= 0, "no descriptor for an event loop: \(NetworkError.text(of: errno))")
            events = .allocate(capacity: 128)
            // Edge-triggered, so each ring wakes the loop and nobody has to read the counter.
            _ = shim_epoll_add(descriptor, bell, Self.bellToken, Readiness.readable.rawValue)
        }

        /// The last call.
        func close() {
            System.close(bell)
            System.close(descriptor)
            events.deallocate()
        }

        /// Returns 0 or an error number: `EPERM` for a regular file.
        func add(_ target: Int32, token: UInt64, interest: Readiness) -> Int32 {
            shim_epoll_add(descriptor, target, token, interest.rawValue) == 0 ? 0 : errno
        }

        func remove(_ target: Int32) { _ = shim_epoll_remove(descriptor, target) }

        func ring() {
            var one: UInt64 = 1
            _ = write(bell, &one, 8)
        }

        /// Waits up to `milliseconds` (-1: without end) and hands over what is ready.
        func wait(milliseconds: Int32, _ each: (UInt64, Readiness) -> Void) {
            let count = shim_epoll_wait(descriptor, events.baseAddress, Int32(events.count), milliseconds)
            guard count > 0 else { return }
            for event in events[0..<Int(count)] where event.token != Self.bellToken {
                each(event.token, Readiness(rawValue: event.ready))
            }
        }
    }
#endif
