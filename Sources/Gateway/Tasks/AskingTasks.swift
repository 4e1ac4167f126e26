import Auth
import Configuration
import MCPProtocol
import Synchronization
import Transport

/// The tasks that ask modern clients, by the ids that these know them by.
final class AskingTasks: Sendable {
    /// Of what is asked, in all.
    private static let bytesMax = 64 << 20

    private struct Entry {
        let owner: CallerIdentity
        let task: AskingTask
        var bytes = 0
    }

    private let limits: LimitSettings
    private let entries = Mutex<[String: Entry]>([:])

    init(limits: LimitSettings) { self.limits = limits }

    /// nil where that task has asked nothing here, or has ended.
    subscript(id: String) -> AskingTask? { entries.withLock { $0[id]?.task } }

    /// What a task asks that waits for answers; what this client can't be asked is refused, so that the task goes on without it. Throws where too many do so already.
    func questions(of task: UpstreamTask, as id: String) async throws(ProtocolError) -> [Question] {
        let asking: AskingTask
        if let known = self[id] { asking = known } else { asking = try begin(task, as: id) }
        return await asking.questions()
    }

    /// Ends all of them: the upstreams hear that nobody answers.
    func end() { for entry in entries.withLock({ $0.values }) { entry.task.result.cancel() } }

    private func begin(_ task: UpstreamTask, as id: String) throws(ProtocolError) -> AskingTask {
        let (errand, owner) = (task.errand, task.errand.call.caller.identity)
        let begun = entries.withLock { entries -> AskingTask? in
            if let known = entries[id] { return known.task }
            guard entries.count < limits.parkedCallsMax,
                entries.values.count(where: { $0.owner == owner }) < limits.parkedCallsOfCallerMax
            else { return nil }
            let asking = AskingTask(
                ParkedCall(task.resultRequest, at: errand.upstream, permit: errand.permit), of: errand.call.abilities,
                keeps: { [weak self] in self?.hasRoom(for: id) ?? false }, onEnd: { [weak self] in self?.forget(id) })
            entries[id] = Entry(owner: owner, task: asking)
            return asking
        }
        guard let begun else {
            throw ProtocolError(.internalError, "Too many tasks wait for answers at the moment: answer some, or try again later")
        }
        return begun
    }

    private func hasRoom(for id: String) -> Bool {
        entries.withLock { entries in
            guard let entry = entries[id] else { return false }
            let bytes = entry.task.result.open.reduce(0) { $0 + $1.request.bytes.count }
            entries[id]?.bytes = bytes
            return entries.values.reduce(0) { $0 + $1.bytes } <= Self.bytesMax
        }
    }

    private func forget(_ id: String) { entries.withLock { _ = $0.removeValue(forKey: id) } }
}
