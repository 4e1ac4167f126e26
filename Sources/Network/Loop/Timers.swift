/// Work that a loop does at a later time, once, unless cancelled before; touch it on its loop only.
package final class LoopTimer {
    package let deadline: ContinuousClock.Instant
    fileprivate(set) var work: (() -> Void)?
    fileprivate var place = -1
    private unowned let loop: EventLoop

    init(deadline: ContinuousClock.Instant, loop: EventLoop, work: @escaping () -> Void) {
        self.deadline = deadline
        self.loop = loop
        self.work = work
    }

    /// Forgets the work; harmless when it has been done.
    package func cancel() {
        guard work != nil else { return }
        work = nil
        loop.forget(self)
    }

    func fire() {
        let due = work
        work = nil
        due?()
    }
}

/// A binary heap of timers, soonest first; each timer knows its place, so that a cancelled one leaves at once.
struct TimerHeap {
    private var timers: [LoopTimer] = []

    var first: LoopTimer? { timers.first }

    mutating func insert(_ timer: LoopTimer) {
        timer.place = timers.count
        timers.append(timer)
        rise(timer.place)
    }

    mutating func remove(_ timer: LoopTimer) {
        let place = timer.place
        guard place >= 0 else { return }
        timer.place = -1
        let last = timers.removeLast()
        guard last !== timer else { return }
        timers[place] = last
        last.place = place
        rise(place)
        sink(last.place)
    }

    /// Takes out the soonest timer if it is due.
    mutating func popDue(at now: ContinuousClock.Instant) -> LoopTimer? {
        guard let first = timers.first, first.deadline <= now else { return nil }
        remove(first)
        return first
    }

    mutating func popAny() -> LoopTimer? {
        guard let last = timers.last else { return nil }
        remove(last)
        return last
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard timers[place].deadline < timers[parent].deadline else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < timers.count && timers[child].deadline < timers[least].deadline {
                least = child
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ a: Int, _ b: Int) {
        timers.swapAt(a, b)
        timers[a].place = a
        timers[b].place = b
    }
}
