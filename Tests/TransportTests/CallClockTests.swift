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

    @Test("it stands still while answers are awaited, and then counts the idle time anew")
    func standing() {
        var clock = CallClock(CallLimit(idle: .seconds(60), total: .seconds(100), answer: .seconds(300)), at: start)
        clock.stand(still: true, at: start + .seconds(50))
        clock.stand(still: true, at: start + .seconds(200))
        #expect(clock.remaining(at: start + .seconds(349)) == .seconds(1))
        #expect(!clock.isAnswerOverdue(at: start + .seconds(349)))
        #expect(clock.isAnswerOverdue(at: start + .seconds(350)))
        clock.stand(still: false, at: start + .seconds(250))
        #expect(clock.remaining(at: start + .seconds(250)) == .seconds(50), "of the total 50 seconds were over before")
    }

    @Test("the total is never less than the idle time")
    func total() {
        #expect(CallLimit(idle: .seconds(60), total: .seconds(10)).total == .seconds(60))
    }
}
