import Synchronization

/// The loops of a process, dealt out in turn.
package final class LoopGroup: Sendable {
    package let loops: [EventLoop]
    private let turn = Atomic<Int>(0)

    /// Starts `count` loops, at least one.
    package init(count: Int, name: String) {
        loops = (0..<max(1, count)).map { EventLoop(name: "\(name)-\($0)") }
    }

    package func next() -> EventLoop {
        let index = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return loops[Int(UInt(bitPattern: index) % UInt(loops.count))]
    }

    package func stop() {
        for loop in loops { loop.stop() }
    }
}
