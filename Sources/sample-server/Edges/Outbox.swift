import Network
import Synchronization

/// Where answers go: the channel that exists only once its callbacks do.
final class Outbox: Sendable {
    private let channel = Mutex<LineChannel?>(nil)

    func open(_ channel: LineChannel) { self.channel.withLock { $0 = channel } }

    func send(_ line: [UInt8]) { _ = channel.withLock { $0 }?.send(line: line) }

    func drain() async { await channel.withLock { $0 }?.drained(within: .seconds(2)) }
}
