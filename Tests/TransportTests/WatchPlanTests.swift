import Auth
import Testing

@testable import Transport

@Suite struct WatchPlanTests {
    private let alice = Caller.localUser("alice").identity
    private let bob = Caller.localUser("bob").identity

    /// Takes all steps, each answered at once; the URIs that are subscribed to, in order.
    private func follow(_ plan: inout WatchPlan, refusing refused: Set<String> = []) -> [String] {
        var order: [String] = []
        while let step = plan.next() {
            switch step {
            case .subscribe(let uri, _):
                order.append(uri)
                _ = plan.done(step, isTaken: !refused.contains(uri))
            case .unsubscribe(let uri):
                order.append("not " + uri)
                _ = plan.done(step, isTaken: true)
            }
        }
        return order
    }

    private func next(_ plan: inout WatchPlan) throws -> WatchPlan.Step {
        let step = plan.next()
        return try #require(step)
    }

    @Test func `Callers take turns, so that who wants a thousand does not keep out who wants one`() {
        var plan = WatchPlan()
        for number in 0..<1_000 { plan.add("bob://\(number)", for: bob) }
        plan.add("alice://1", for: alice)
        let first = plan.next(atMost: 2)
        #expect(first.contains(.subscribe("alice://1", for: alice)))
        let rest = follow(&plan)
        #expect(rest.count == 999)
    }

    @Test func `A wish that is taken back is not sent, and what is subscribed to ends with its last watcher`() {
        var plan = WatchPlan()
        for uri in ["x://a", "x://b"] { plan.add(uri, for: alice) }
        plan.add("x://a", for: bob)
        plan.remove("x://b", for: alice)
        var order = [follow(&plan)]
        plan.remove("x://a", for: bob)
        order.append(follow(&plan))
        #expect(plan.standing(of: "x://a") == .heard)
        plan.remove("x://a", for: alice)
        order.append(follow(&plan))
        #expect(order == [["x://a"], [], ["not x://a"]] && plan.isEmpty)
    }

    @Test func `What nobody wants any more when the answer comes is given up, and what is wanted again meanwhile is kept`() throws {
        var plan = WatchPlan()
        plan.add("x://a", for: alice)
        let step = try next(&plan)
        plan.remove("x://a", for: alice)
        _ = plan.done(step, isTaken: true)
        let end = try next(&plan)
        #expect(end == .unsubscribe("x://a"))
        plan.add("x://a", for: alice)
        _ = plan.done(end, isTaken: true)
        let rest = follow(&plan)
        #expect(rest == ["x://a"])
    }

    @Test func `Giving up has its turn beside wishes`() {
        var plan = WatchPlan()
        for number in 0..<10 { plan.add("x://\(number)", for: alice) }
        _ = follow(&plan)
        for number in 0..<10 { plan.remove("x://\(number)", for: alice) }
        for number in 10..<20 { plan.add("x://\(number)", for: bob) }
        let steps = plan.next(atMost: 4)
        #expect(steps.filter { if case .unsubscribe = $0 { true } else { false } }.count == 2)
    }

    @Test func `What was refused is asked again after a while only, or over another link`() {
        var plan = WatchPlan()
        let now = ContinuousClock.now
        func ask(at moment: ContinuousClock.Instant) -> Bool {
            plan.add("x://a", for: alice, at: moment)
            defer { plan.remove("x://a", for: alice) }
            guard let step = plan.next() else { return false }
            _ = plan.done(step, isTaken: false, at: moment)
            return true
        }
        var asked = [ask(at: now), ask(at: now + .seconds(59))]
        #expect(plan.standing(of: "x://a") == .refused)
        asked.append(ask(at: now + .seconds(61)))
        plan.startOver()
        asked.append(ask(at: now + .seconds(62)))
        #expect(asked == [true, false, true, true])
    }

    @Test func `Who counts on a resource hears when it comes late, comes back, or is refused after all`() throws {
        var plan = WatchPlan()
        plan.add("x://a", for: alice)
        plan.add("x://b", for: alice)
        plan.promise("x://b")
        for _ in 0..<2 {
            let step = try next(&plan)
            let outcome = plan.done(step, isTaken: true)
            #expect(outcome == (step == .subscribe("x://b", for: alice) ? .late : .none))
        }
        plan.startOver()
        #expect(plan.standing(of: "x://a") == .waiting)
        for isTaken in [true, false] {
            let step = try next(&plan)
            let outcome = plan.done(step, isTaken: isTaken)
            #expect(outcome == (isTaken ? .late : .lost))
        }
        let rest = plan.next()
        #expect(rest == nil)
    }

    @Test func `Whoever waits is told once, whether it is taken, refused or given up`() async {
        var plan = WatchPlan()
        let settlement = Settlement(of: 3)
        for uri in ["x://a", "x://b", "x://c"] {
            plan.add(uri, for: alice)
            let mustWait = plan.tell(settlement, of: uri)
            #expect(mustWait)
        }
        plan.remove("x://c", for: alice)
        _ = follow(&plan, refusing: ["x://b"])
        await settlement.wait(within: .seconds(60))
        for uri in ["x://a", "x://b", "x://none"] {
            let mustWait = plan.tell(settlement, of: uri)
            #expect(!mustWait)
        }
    }

    @Test func `Wishes that come and go leave nothing behind`() {
        var plan = WatchPlan()
        for number in 0..<10_000 {
            plan.add("x://\(number % 7)", for: alice)
            plan.remove("x://\(number % 7)", for: alice)
        }
        let rest = plan.next()
        #expect(plan.isEmpty && rest == nil)
    }
}
