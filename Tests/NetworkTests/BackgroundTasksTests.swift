import Testing

@testable import Network

@Suite struct BackgroundTasksTests {
    @Test func `One can wait until all that runs in the background has ended, and no longer than told`() async throws {
        try await onLoop { loop in
            let tasks = BackgroundTasks()
            #expect(await tasks.finished(within: .zero))
            let gates = (0..<3).map { _ in Mailbox<Bool>(capacity: 1) }
            for gate in gates { tasks.start(on: loop) { _ = await gate.next() } }
            #expect(await !tasks.finished(within: .milliseconds(1)))
            for gate in gates { _ = gate.send(true) }
            #expect(await tasks.finished(within: .seconds(10)))
            #expect(await tasks.finished(within: .zero))
        }
    }
}
