import Auth
import JSON
import MCPProtocol
import Network

/// One `subscriptions/listen`: what it asked for and gets, and the messages that it is sent (MCP 2026-07-28 basic/patterns/subscriptions).
struct Subscription {
    /// The members of the filter for lists, with what each stands for.
    static let lists: [(member: String, capability: String, change: ChangeFeed.Change)] = [
        ("toolsListChanged", "tools", .tools), ("promptsListChanged", "prompts", .prompts), ("resourcesListChanged", "resources", .resources),
    ]

    /// How long the acknowledgment waits for the answers of upstreams.
    static let answerTime = Duration.seconds(2)
    /// The same for the answer to `resources/subscribe`, which can't be taken back.
    static let answerTimeMax = Duration.seconds(30)

    /// The resources that it asked for, each once, no more than can be watched.
    let resources: [String]
    /// The tasks that it asked for, each once, no more than can be followed.
    let tasks: [String]
    private let wanted: [(member: String, capability: String, change: ChangeFeed.Change)]
    private let id: JSONValue

    /// `capabilities` are those of the virtual server: what it does not have is not promised.
    init(_ message: Message, id: ArraySlice<UInt8>, capabilities: JSONValue) throws(ProtocolError) {
        guard let filter = message.params.notifications, filter.kind == .object else {
            throw ProtocolError(.invalidParams, "Invalid params: `notifications` must be an object")
        }
        let value = message.value(filter)
        // Who asks must be able to make sense of it (io.modelcontextprotocol/tasks, "Task Status Notifications").
        let declared = message.params.meta?.clientCapabilities.map { Array(message.bytes[$0.range]) } ?? []
        if value["taskIds"] != nil, !TaskExtension.isDeclared(in: declared) { throw TaskExtension.missing }
        let uris = value["resourceSubscriptions"]
        for member in ["resourceSubscriptions", "taskIds"] {
            guard let wanted = value[member], wanted.array?.allSatisfy({ $0.string != nil }) != true else { continue }
            throw ProtocolError(.invalidParams, "Invalid params: `\(member)` must be an array of strings")
        }
        wanted = Self.lists.filter { value[$0.member] == true && capabilities[$0.capability] != nil }
        var seen: Set<String> = []
        tasks = Array((value["taskIds"]?.array ?? []).compactMap(\.string).filter { seen.insert($0).inserted }.prefix(TaskFollowing.countMax))
        seen = []
        let all = (uris?.array ?? []).compactMap(\.string).filter { seen.insert($0).inserted }
        resources = capabilities["resources"]?["subscribe"] == true ? Array(all.prefix(ResourceWatches.countMax)) : []
        self.id = (try? JSONValue(parsing: Array(id))) ?? .null
    }

    private var tag: JSONValue { .object([.init(MetaKey.subscriptionID, id)]) }

    /// What it will hear of: `watched` are the resources that could be subscribed to, `followed` the tasks that its client may follow.
    func acknowledgement(watched: [String], followed: [String] = []) -> [UInt8] {
        var filter = JSONValue.object(wanted.map { .init($0.member, true) })
        if !watched.isEmpty { filter["resourceSubscriptions"] = .array(watched.map { .string($0) }) }
        if !followed.isEmpty { filter["taskIds"] = .array(followed.map { .string($0) }) }
        return JSONValue.notification(MCPProtocol.Method.acknowledged.rawValue, ["_meta": tag, "notifications": filter])
    }

    /// The notification of a change; nil where it was not asked for.
    func notification(of change: ChangeFeed.Change) -> [UInt8]? {
        switch change {
        case .updated, .said: return change.notification(tagged: tag)
        default: break
        }
        return wanted.contains { $0.change == change } ? change.notification(tagged: tag) : nil
    }

    /// Whether the stream is over with that: the gateway ends, or it can't keep what it has agreed to, which no notification could say.
    func ends(with change: ChangeFeed.Change) -> Bool {
        switch change {
        case .end, .lost: true
        case .tools, .prompts, .resources, .updated, .said, .asked: false
        }
    }

    /// The response that says the stream ended as it should.
    var end: [UInt8] {
        let result: JSONValue = ["resultType": "complete", "_meta": tag]
        return JSONValue.object([.init("jsonrpc", "2.0"), .init("id", id), .init("result", result)]).bytes
    }
}

extension CallService {
    /// Follows for a subscription the tasks of that which it asks for, until it is over, once those that can be followed are acknowledged; these.
    func follow(
        _ subscription: Subscription, for call: Call, until isOver: Cancellation, tell: @escaping @Sendable (JSONValue) -> Void
    ) async -> (ids: [String], begin: () -> Void) {
        guard !subscription.tasks.isEmpty else { return ([], {}) }
        let following = await TaskFollowing(subscription.tasks, for: call, by: self, until: isOver)
        return (
            subscription.tasks.filter { following.tasks[$0] != nil }, { _ = EventLoop.current?.task { await following.run(tell) } }
        )
    }

    /// Watches for a subscription what can be watched of that which it asks for; the URIs of those, in its order.
    ///
    /// Upstreams that are slow to agree are not waited for: what they have not refused by then is agreed to, an update follows once they have
    /// agreed, and the stream ends should they refuse.
    func watch(_ subscription: Subscription, for call: Call, into watches: ResourceWatches) async -> [String] {
        guard !subscription.resources.isEmpty else { return [] }
        let begun = await watch(subscription.resources, for: call).compactMap { try? $0.get() }
        // Before it is waited for: what changes meanwhile is told after the acknowledgment.
        for watch in begun { watches.add(watch) }
        await ResourceWatch.settle(begun, within: Subscription.answerTime, cancellation: call.cancellation)
        return begun.compactMap { watch in
            watch.promise()
            if watch.standing != .refused { return watch.uri }
            watches.remove(watch.uri)
            return nil
        }
    }

    /// Watches one resource once its upstream has agreed; throws where it does not.
    private func watch(_ uri: String, for call: Call, into watches: ResourceWatches) async throws(ProtocolError) {
        guard let watch = try await watch([uri], for: call).first?.get() else { throw ProtocolError(.internalError, "cancelled") }
        watches.add(watch)
        await ResourceWatch.settle([watch], within: Subscription.answerTimeMax, cancellation: call.cancellation)
        guard watch.standing != .heard else { return }
        watches.remove(uri)
        throw ProtocolError(.invalidParams, "Resource can't be subscribed to", data: ["uri": .string(uri)])
    }

    /// The answer to `resources/subscribe` or `resources/unsubscribe` (MCP 2025-11-25 server/resources, "Subscriptions").
    ///
    /// `watches` is nil where there is no session: nobody would know whom to tell.
    func changeWatches(_ watches: ResourceWatches?, by call: Call) async -> Reply {
        let (message, id) = (call.message, call.id)
        if let defect = message.params.defect { return Reply(ProtocolError(.invalidParams, "Invalid params: \(defect)"), id: id) }
        guard describe(call.server)?.capabilities["resources"]?["subscribe"] == true else {
            return Reply(ProtocolError(.methodNotFound, "Method not found: \(message.methodText)"), id: id)
        }
        guard let watches else {
            return Reply(ProtocolError(.invalidRequest, "Invalid request: subscribing needs a session, which `initialize` begins"), id: id)
        }
        guard let uri = message.text(message.params.uri) else {
            return Reply(ProtocolError(.invalidParams, "Invalid params: `uri` is missing"), id: id)
        }
        guard message.method == .subscribe else {
            watches.remove(uri)
            return Reply(result: [], id: id, era: .legacy)
        }
        guard !watches.isFull else {
            let text = "Invalid params: more than \(ResourceWatches.countMax) resources can't be subscribed to at once"
            return Reply(ProtocolError(.invalidParams, text), id: id)
        }
        do throws(ProtocolError) {
            try await watch(uri, for: call, into: watches)
            return Reply(result: [], id: id, era: .legacy)
        } catch {
            return Reply(error, id: id)
        }
    }
}
