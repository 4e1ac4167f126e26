import Dispatch
import Synchronization
import Testing

@testable import Network

@Suite struct EventLoopTests {
    @Test func `a task of a loop never leaves its thread, whatever it waits for`() async throws {
        let strays = try await onLoop { loop in
            var strays = 0
            let mailbox = Mailbox<Int>(capacity: 8)
            let listener = try serve(on: loop, echo)
            defer { listener.stop() }
            let connection = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
            defer { connection.close() }
            for round in 0..<500 {
                switch round % 5 {
                case 0: try await loop.sleep(for: .microseconds(100))
                case 1:
                    await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume() } }
                case 2:
                    DispatchQueue.global().async { _ = mailbox.send(round) }
                    #expect(await mailbox.next() == round)
                case 3:
                    connection.write([1, 2, 3])
                    _ = try await read(3, from: connection)
                default: await Task.yield()
                }
                if !loop.isCurrent { strays += 1 }
            }
            return strays
        }
        #expect(strays == 0)
    }

    @Test func `a spawned task and its children run on the loop`() async throws {
        let places = try await onLoop { loop in
            final class Notes { var places: [Bool] = [] }
            let notes = Notes()
            await loop.spawn(with: notes) { notes in
                notes.places.append(loop.isCurrent)
                await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<10 { group.addTask { EventLoop.current === loop } }
                    for await place in group { notes.places.append(place) }
                }
            }.value
            return notes.places
        }
        #expect(places == Array(repeating: true, count: 11))
    }

    @Test func `timers fire in order of their deadlines and a cancelled one does not`() async throws {
        let order = try await onLoop { loop in
            final class Notes { var order: [Int] = [] }
            let notes = Notes()
            var timers: [LoopTimer] = []
            for delay in [5, 1, 4, 2, 3, 0, 6] {
                timers.append(loop.schedule(after: .milliseconds(delay)) { notes.order.append(delay) })
            }
            timers[2].cancel()
            try await loop.sleep(for: .milliseconds(8))
            timers[0].cancel()
            return notes.order
        }
        #expect(order == [0, 1, 2, 3, 5, 6])
    }

    @Test func `the heap keeps its order under many insertions and cancellations`() async throws {
        try await onLoop { loop in
            var heap = TimerHeap()
            var generator = Seeded(state: 7)
            var kept: [LoopTimer] = []
            for _ in 0..<2000 {
                let timer = LoopTimer(deadline: loop.now.advanced(by: .microseconds(Int.random(in: 0..<5000, using: &generator))), loop: loop) {}
                heap.insert(timer)
                if Bool.random(using: &generator) { heap.remove(timer) } else { kept.append(timer) }
            }
            let later = loop.now.advanced(by: .seconds(60))
            var fired: [ContinuousClock.Instant] = []
            while let timer = heap.popDue(at: later) { fired.append(timer.deadline) }
            #expect(fired == kept.map(\.deadline).sorted())
        }
    }

    @Test func `sleep ends early when its task is cancelled`() async throws {
        let ended = try await onLoop { loop in
            let sleeper = Mailbox<Bool>(capacity: 1)
            let nap = loop.task {
                do { try await loop.sleep(for: .seconds(60)) } catch { _ = sleeper.send(true) }
            }
            await Task.yield()
            nap.cancel()
            return await sleeper.next()
        }
        #expect(ended == true)
    }

    @Test func `work from many threads arrives complete and each thread's in its order`() async throws {
        let complete = try await onLoop { loop in
            let seen = Mutex<[[Int]]>(Array(repeating: [], count: 4))
            let done = Mailbox<Int>(capacity: 4)
            for thread in 0..<4 {
                DispatchQueue.global().async {
                    for number in 0..<1000 {
                        loop.execute { seen.withLock { $0[thread].append(number) } }
                    }
                    loop.execute { _ = done.send(thread) }
                }
            }
            for _ in 0..<4 { _ = await done.next() }
            return seen.withLock { $0 == Array(repeating: Array(0..<1000), count: 4) }
        }
        #expect(complete)
    }

    @Test func `stopping a loop wakes whoever waits on it`() async throws {
        let loop = EventLoop(name: "stopped")
        let woken = Mailbox<String>(capacity: 4)
        let waiting = Mailbox<Bool>(capacity: 4)
        let listener = try serve(on: loop) { connection in
            _ = waiting.send(true)
            do { _ = try await connection.fill(within: nil) } catch { _ = woken.send("fill") }
        }
        let client = loop.task {
            do {
                _ = try await Connection.connect(to: [listener.address], within: .seconds(5), on: loop)
                try await loop.sleep(for: .seconds(100))
            } catch { _ = woken.send("sleep") }
        }
        _ = await waiting.next()
        loop.stop()
        let first = await woken.next()
        let second = await woken.next()
        #expect(Set([first, second]) == ["fill", "sleep"])
        await client.value
    }
}

/// A small generator whose numbers repeat.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
