import Testing

@testable import Transport

@Suite("A call's clock")
struct CallClockTests {
    private let start = ContinuousClock.now

    @Test("progress counts the idle time anew, but not the total")
    func clock() {
        var clock = CallClock(CallLimit(idle: .seconds(60), total: .seconds(100)), at: start)
        #expect(clock.remaining(at: start) == .seconds(60))
        #expect(clock.remaining(at: start + .seconds(59)) == .seconds(1))
        clock.sawProgress(at: start + .seconds(59))
        #expect(clock.remaining(at: start + .seconds(59)) == .seconds(41))
        #expect(clock.remaining(at: start + .seconds(100)) == .zero)
        clock.sawProgress(at: start + .seconds(100))
        #expect(clock.remaining(at: start + .seconds(101)) < .zero)
    }

    @Test("the total is never less than the idle time")
    func total() {
        #expect(CallLimit(idle: .seconds(60), total: .seconds(10)).total == .seconds(60))
    }
}
