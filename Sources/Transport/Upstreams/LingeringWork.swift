import MCPProtocol

/// What may go on at an upstream when no call waits for it any more: calls that were given up before they were answered, and tasks. It may ask
/// and log then, and says of neither whose it is.
struct LingeringWork {
    /// What a request has to do with tasks.
    enum Matter {
        /// Its answer may be a task.
        case mayBecomeTask
        /// It is about that task, and is answered when the task has ended where it `waits`.
        case task(id: String, waits: Bool)

        /// nil for nothing.
        init?(_ request: UpstreamRequest) {
            if request.task != nil {
                self = .mayBecomeTask
            } else if let id = request.mirroredName, MCPProtocol.Method(rawValue: request.method)?.isOfTask == true {
                self = .task(id: id, waits: request.method == MCPProtocol.Method.taskResult.rawValue)
            } else {
                return nil
            }
        }
    }

    private enum Key: Hashable { case call(Int), task(String) }
    private struct Owner {
        let origin: UpstreamRequest.Origin
        let until: ContinuousClock.Instant
    }

    /// Longer than a call may take.
    private static let abandonedTime = Duration.seconds(600)
    /// Of tasks that do not say how long they are kept.
    private static let taskTime = 3_600_000
    private static let taskTimeMax = 86_400_000
    private static let countMax = 1_000

    private var owners: [Key: Owner] = [:]
    /// Until when there may be some that are not known, since there were too many.
    private var crowdedUntil: ContinuousClock.Instant?

    /// A call is given up, and the upstream has not answered it.
    mutating func abandon(_ id: Int, of origin: UpstreamRequest.Origin) { add(.call(id), origin, for: Self.abandonedTime) }

    /// The upstream has answered a call that was given up.
    mutating func settle(_ id: Int, with answer: Message) {
        guard !owners.isEmpty, let owner = owners.removeValue(forKey: .call(id)) else { return }
        note(answer, to: .mayBecomeTask, of: owner.origin)
    }

    /// The upstream has answered a request that has to do with tasks.
    mutating func note(_ answer: Message, to matter: Matter, of origin: UpstreamRequest.Origin) {
        switch matter {
        case .mayBecomeTask:
            let result = answer.resultTree
            let modern = answer.result?.isTask(in: answer) == true ? result.flatMap { TaskState($0, era: .modern) } : nil
            guard let task = modern ?? result?["task"].flatMap({ TaskState($0, era: .legacy) }), !task.status.isTerminal else { return }
            // Kept no longer by the upstream, it may work on all the same.
            add(.task(task.id), origin, for: max(.milliseconds(min(task.ttl ?? Self.taskTime, Self.taskTimeMax)), Self.abandonedTime))
        case .task(let id, let waits):
            if waits || answer.resultTree.flatMap({ TaskState($0, era: .legacy) })?.status.isTerminal == true { owners[.task(id)] = nil }
        }
    }

    /// A notification says how a task stands.
    mutating func note(_ status: Message) {
        guard !owners.isEmpty, let task = (try? status.paramsTree()).flatMap({ TaskState($0, era: .legacy) }), task.status.isTerminal else { return }
        owners[.task(task.id)] = nil
    }

    /// Whether all of it is that caller's.
    mutating func isOnly(_ caller: [UInt8]) -> Bool {
        guard crowdedUntil != nil || !owners.isEmpty else { return true }
        let now = ContinuousClock.now
        if let time = crowdedUntil {
            guard time <= now else { return false }
            crowdedUntil = nil
        }
        owners = owners.filter { $0.value.until > now }
        return owners.values.allSatisfy { $0.origin.caller == caller }
    }

    private mutating func add(_ key: Key, _ origin: UpstreamRequest.Origin, for time: Duration) {
        let now = ContinuousClock.now
        if owners.count >= Self.countMax { owners = owners.filter { $0.value.until > now } }
        guard owners.count < Self.countMax else {
            crowdedUntil = max(crowdedUntil ?? now, now + time)
            return
        }
        owners[key] = Owner(origin: origin, until: now + time)
    }
}
