/// The actor of a loop: entering it is what keeps a task on the loop's thread.
actor LoopActor {
    /// Set once, before anything is started.
    nonisolated(unsafe) var loop: EventLoop?

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        guard let loop else { fatalError("an actor without its loop") }
        return loop.asUnownedSerialExecutor()
    }

    func run(_ body: @Sendable () async -> Void) async { await body() }
}

/// Carries a value to a place that is on the same loop, or under the same lock, where the compiler can't see it.
struct Carried<Value>: @unchecked Sendable {
    let value: Value
}
