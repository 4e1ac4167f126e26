import Network
import Testing

@testable import Transport

@Suite("Cancellations")
struct CancellationTests {
    @Test("the action runs once, also when it comes too late, and not when it was forgotten")
    func actions() {
        let count = Mailbox<Int>(capacity: 8)
        let early = Cancellation()
        early.whenCancelled { count.send(1) }
        early.cancel()
        early.cancel()
        early.whenCancelled { count.send(2) }
        let forgotten = Cancellation()
        forgotten.whenCancelled { count.send(3) }
        forgotten.whenCancelled(nil)
        forgotten.cancel()
        #expect(forgotten.isCancelled)
        count.close()
        #expect(count.send(4) == false)
    }
}
