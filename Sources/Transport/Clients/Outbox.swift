import Network
import Synchronization

/// The messages that wait for a client that reads from one stream, bounded in number and bytes: beyond that the client has lost its place.
final class Outbox: Sendable {
    private static let messagesMax = 1_024

    private let bytesMax: Int
    private let messages = Mailbox<[UInt8]>(capacity: Outbox.messagesMax)
    private let overflow = Mailbox<Bool>(capacity: 1)
    private let waiting = Atomic(0)

    /// A message is taken while fewer bytes than these wait before it.
    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// False when nothing is taken any more; what comes too much closes it.
    func send(_ message: [UInt8]) -> Bool {
        let before = waiting.add(message.count, ordering: .relaxed).oldValue
        if before < bytesMax, messages.send(message) { return true }
        waiting.subtract(message.count, ordering: .relaxed)
        overflow.send(true)
        close()
        return false
    }

    /// Waits for a message, for so long.
    func next(within limit: Duration) async -> Mailbox<[UInt8]>.Received {
        let received = await messages.next(within: limit)
        if case .element(let message) = received { waiting.subtract(message.count, ordering: .relaxed) }
        return received
    }

    /// Waits until more came than it takes; false when it was closed before.
    func overflowed() async -> Bool { await overflow.next() ?? false }

    /// Takes no more; what waits can still be had.
    func close() {
        messages.close()
        overflow.close()
    }
}
