import Synchronization

/// Lets one side of a call tell the other, on whichever loop, that nobody waits for it any more.
package final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels once; later calls do nothing.
    package func cancel() {
        let action = state.withLock { state in
            state.isCancelled = true
            defer { state.action = nil }
            return state.action
        }
        action?()
    }

    /// Runs `action` when cancelled, at once if that has happened; nil forgets the earlier one.
    package func whenCancelled(_ action: (@Sendable () -> Void)?) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.action = action }
            return state.isCancelled
        }
        if isCancelled { action?() }
    }
}
