#if canImport(Darwin)
    import Darwin

    /// kqueue: the descriptors that a loop waits for, and a bell that any thread may ring.
    struct Poller: ~Copyable {
        private static let bellIdentifier = UInt.max
        private let descriptor: Int32
        private let events: UnsafeMutableBufferPointer<kevent>

        init() {
            descriptor = kqueue()
            precondition(descriptor >= 0, "no descriptor for an event loop: \(NetworkError.text(of: errno))")
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            events = .allocate(capacity: 128)
            var bell = kevent()
            bell.ident = Self.bellIdentifier
            bell.filter = Int16(EVFILT_USER)
            bell.flags = UInt16(EV_ADD | EV_CLEAR)
            _ = change(&bell)
        }

        /// The last call.
        func close() {
            System.close(descriptor)
            events.deallocate()
        }

        private func change(_ event: inout kevent) -> Int32 {
            kevent(descriptor, &event, 1, nil, 0, nil) == 0 ? 0 : errno
        }

        /// Returns 0 or an error number.
        func add(_ target: Int32, token: UInt64, interest: Readiness) -> Int32 {
            let mode = interest.contains(.level) ? 0 : EV_CLEAR
            for (wanted, filter) in [(Readiness.readable, EVFILT_READ), (.writable, EVFILT_WRITE)] where interest.contains(wanted) {
                var event = kevent()
                event.ident = UInt(target)
                event.filter = Int16(filter)
                event.flags = UInt16(EV_ADD | mode)
                event.udata = UnsafeMutableRawPointer(bitPattern: UInt(token))
                let error = change(&event)
                guard error == 0 else { return error }
            }
            return 0
        }

        func remove(_ target: Int32) {
            for filter in [EVFILT_READ, EVFILT_WRITE] {
                var event = kevent()
                event.ident = UInt(target)
                event.filter = Int16(filter)
                event.flags = UInt16(EV_DELETE)
                _ = change(&event)
            }
        }

        func ring() {
            var bell = kevent()
            bell.ident = Self.bellIdentifier
            bell.filter = Int16(EVFILT_USER)
            bell.fflags = UInt32(NOTE_TRIGGER)
            _ = change(&bell)
        }

        /// Waits up to `milliseconds` (-1: without end) and hands over what is ready.
        func wait(milliseconds: Int32, _ each: (UInt64, Readiness) -> Void) {
            var limit = timespec(tv_sec: Int(milliseconds) / 1000, tv_nsec: Int(milliseconds) % 1000 * 1_000_000)
            let count =
                milliseconds < 0
                ? kevent(descriptor, nil, 0, events.baseAddress, Int32(events.count), nil)
                : kevent(descriptor, nil, 0, events.baseAddress, Int32(events.count), &limit)
            guard count > 0 else { return }
            for event in events[0..<Int(count)] where event.filter != Int16(EVFILT_USER) {
                var readiness: Readiness = event.filter == Int16(EVFILT_WRITE) ? .writable : .readable
                if Int32(event.flags) & EV_EOF != 0 { readiness.formUnion([.hungUp, .readable]) }
                each(UInt64(UInt(bitPattern: event.udata)), readiness)
            }
        }
    }
#endif
