import Network
import Synchronization

/// Waits until several questions are settled, whichever way.
package final class Settlement: Sendable {
    private let left: Mutex<Int>
    private let mailbox = Mailbox<Bool>(capacity: 1)

    init(of count: Int) { left = Mutex(count) }

    /// One more is settled.
    func note() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { mailbox.send(true) }
    }

    /// Nobody cares any more.
    func abandon() { mailbox.close() }

    /// Returns when all are settled, when it is abandoned, or after that time.
    func wait(within time: Duration) async {
        guard left.withLock({ $0 > 0 }) else { return }
        _ = await mailbox.next(within: time)
    }
}
