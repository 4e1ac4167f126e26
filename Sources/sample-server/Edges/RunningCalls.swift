import Synchronization

/// The calls of one client that take their time, by request id, so that they can be cancelled.
final class RunningCalls: Sendable {
    private let tasks = Mutex<[String: Task<Void, Never>]>([:])

    func begin(_ id: String, _ task: Task<Void, Never>) { tasks.withLock { $0[id] = task } }

    /// True for the one who ends it: a cancelled call must not be answered.
    func end(_ id: String) -> Bool { tasks.withLock { $0.removeValue(forKey: id) } != nil }

    func cancel(_ id: String) { tasks.withLock { $0.removeValue(forKey: id) }?.cancel() }

    func cancelAll() {
        let all = tasks.withLock { tasks in
            defer { tasks = [:] }
            return tasks.values
        }
        for task in all { task.cancel() }
    }
}
