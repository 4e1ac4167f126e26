import Diagnostics
import Dispatch
import Synchronization

/// The audit: takes events from the loops without waiting, and writes them in the background.
///
/// While it can't be written, `isWritable` is false, and it tries again by itself every second.
package final class AuditLog: Sendable {
    package let settings: AuditSettings
    private let line: AuditLine
    private let queue = DispatchQueue(label: "audit")
    private let state = Mutex(State())
    /// Touched on the queue only.
    private let writer: Mutex<AuditWriter>
    private let log = Log("audit")
    /// Begins every event's id, so that ids of two processes differ.
    private let process = ErrorID()

    /// Beyond this no call is let in; what runs then still finds room.
    private static let eventsMax = 10_000
    private static let bytesMax = 16 << 20
    /// Refusals at the door that are recorded one by one, each second.
    private static let doorMax = 100
    private static let batch = 256
    private static let batchTime = Duration.milliseconds(3)
    private static let interval = DispatchTimeInterval.seconds(1)

    private struct State {
        var events: [AuditEvent] = []
        var bytes = 0
        var count = 0
        /// Events that there was no room for, since the last one that was written.
        var lost = 0
        var lostInAll = 0
        var failure: AuditFailure?
        /// Refusals at the door.
        var door = Pace(perSecond: AuditLog.doorMax)
        /// Whether a block on the queue will look at `events`.
        var isScheduled = false
        /// When it looked last.
        var written = ContinuousClock.now - .seconds(1)
        var isSynchronizing = false
    }

    /// The file is opened by `open`, else when there is something to write. `key` is the installation's, for digests.
    package init(_ settings: AuditSettings, key: [UInt8], masking: ArgumentMasking) {
        self.settings = settings
        line = AuditLine(values: settings.values, digest: ArgumentDigest(key: key), masking: masking)
        writer = Mutex(AuditWriter(settings.destination))
    }

    /// Opens the file now, blocking.
    package func open() throws(AuditFailure) {
        try writer.withLock { writer throws(AuditFailure) in try writer.reopenIfMoved() }
    }

    /// Why a call could not be recorded now; nil when it can.
    package var obstacle: AuditFailure? {
        state.withLock { state in
            if let failure = state.failure { return failure }
            return state.events.count < Self.eventsMax && state.bytes < Self.bytesMax ? nil : AuditFailure("too much waits to be written")
        }
    }

    /// Events that were lost since the start, for want of room.
    package var lost: Int { state.withLock { $0.lostInAll } }

    /// Takes an event. It returns at once; the event is dropped, and counted, when twice as much waits as may.
    package func record(_ event: AuditEvent) {
        let weight = event.weight
        let (mustSchedule, isFirstLost) = state.withLock { state in
            guard state.events.count < Self.eventsMax * 2, state.bytes + weight <= Self.bytesMax * 2 else {
                state.lost += 1
                state.lostInAll += 1
                return (false, state.lost == 1)
            }
            state.events.append(event)
            state.bytes += weight
            defer { state.isScheduled = true }
            return (!state.isScheduled, false)
        }
        if mustSchedule { schedule() }
        if isFirstLost { log.error("too much waits to be written: events are lost from here on") }
    }

    /// As `record`, for whoever is not let in: what comes faster than a person could read is counted instead, so that it can't fill the disk.
    package func recordAtDoor(_ event: AuditEvent) {
        guard let more = state.withLock({ $0.door.admit(at: event.time.seconds) }) else { return }
        var event = event
        event.more = more
        record(event)
    }

    /// Opens the file anew where it was renamed or removed: what a rotation wants on SIGHUP.
    package func reopen() {
        queue.async {
            do throws(AuditFailure) {
                try self.writer.withLock { writer throws(AuditFailure) in try writer.reopenIfMoved() }
            } catch {
                self.failed(error)
            }
        }
    }

    /// Calls back, on any thread, when what was recorded until now is written, or can't be, and has reached the disk.
    package func flush(_ done: @escaping @Sendable () -> Void) {
        queue.async {
            // Who has nothing to record makes no file.
            let isIdle = self.state.withLock { $0.events.isEmpty && $0.lost == 0 } && self.writer.withLock { $0.isEmpty }
            if !isIdle, self.state.withLock({ $0.failure == nil }) { self.writeAll() }
            self.synchronize()
            done()
        }
    }

    /// Does not wait for the next second, where it could not be written.
    func retryNow() { queue.async { self.tryAgain() } }

    /// At once, or a little later where something was written just now: then what comes meanwhile is written together.
    private func schedule() {
        let pause = state.withLock { $0.written + Self.batchTime } - .now
        if pause > .zero {
            queue.asyncAfter(deadline: .now() + .microseconds(Int(pause / .microseconds(1)))) { self.write() }
        } else {
            queue.async { self.write() }
        }
    }

    // MARK: - On the queue

    private func write() {
        state.withLock { state in
            state.isScheduled = false
            state.written = .now
        }
        guard state.withLock({ $0.failure == nil }) else { return }
        writeAll()
    }

    private func writeAll() {
        do throws(AuditFailure) {
            try writer.withLock { writer throws(AuditFailure) in
                // What an earlier attempt left comes first.
                try writer.write()
                while take(into: &writer) { try writer.write() }
            }
            scheduleSynchronizing()
        } catch {
            failed(error)
        }
    }

    /// Renders the next events; false when there are none.
    private func take(into writer: inout AuditWriter) -> Bool {
        let (events, lost, first) = state.withLock { state in
            let events = Array(state.events.prefix(Self.batch))
            state.events.removeFirst(events.count)
            state.bytes -= events.reduce(0) { $0 + $1.weight }
            defer {
                state.count += events.count + (state.lost > 0 ? 1 : 0)
                state.lost = 0
            }
            return (events, state.lost, state.count + 1)
        }
        var number = first
        for event in events {
            line.append(event, id: "\(process)-\(number)", to: &writer.lines)
            number += 1
        }
        if lost > 0 {
            line.append(lost: lost, id: "\(process)-\(number)", at: .now, to: &writer.lines)
            log.error("\(lost) events were lost, since too many waited to be written")
        }
        return !writer.isEmpty
    }

    private func failed(_ failure: AuditFailure) {
        let isNew = state.withLock { state in
            defer { state.failure = failure }
            return state.failure == nil
        }
        guard isNew else { return }
        let consequence = settings.whenUnwritable == .refuse ? "calls are refused until it can" : "calls are served and wait to be recorded"
        log.error("the audit can't be written: \(failure); \(consequence)")
        queue.asyncAfter(deadline: .now() + Self.interval) { self.tryAgain() }
    }

    private func tryAgain() {
        do throws(AuditFailure) {
            try writer.withLock { writer throws(AuditFailure) in try writer.write() }
        } catch {
            state.withLock { $0.failure = error }
            queue.asyncAfter(deadline: .now() + Self.interval) { self.tryAgain() }
            return
        }
        state.withLock { $0.failure = nil }
        log.info("the audit can be written again")
        writeAll()
    }

    /// What was written reaches the disk within a second.
    private func scheduleSynchronizing() {
        guard writer.withLock({ $0.isUnsynchronized }) else { return }
        let isFirst = state.withLock { state in
            defer { state.isSynchronizing = true }
            return !state.isSynchronizing
        }
        guard isFirst else { return }
        queue.asyncAfter(deadline: .now() + Self.interval) { self.synchronize() }
    }

    private func synchronize() {
        state.withLock { $0.isSynchronizing = false }
        do throws(AuditFailure) {
            try writer.withLock { writer throws(AuditFailure) in
                if writer.isUnsynchronized { try writer.synchronize() }
            }
        } catch {
            failed(error)
        }
    }
}
