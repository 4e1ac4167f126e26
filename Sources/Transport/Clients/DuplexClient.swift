import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// A client whose messages all share one channel in each direction: stdio in either era, HTTP+SSE in the legacy one.
///
/// Messages are handed in as they come; every request is answered by a task of its own.
package final class DuplexClient: Sendable {
    /// Requests that may run at once.
    private static let runningMax = 512

    private struct State {
        var revision: Revision?
        var capabilities = Array("{}".utf8)
        var logLevel = LogLevel.info
        var running: [String: Cancellation] = [:]
        /// Apart from what runs: nothing waits for the end of a subscription.
        var subscriptions: [String: Cancellation] = [:]
        var listener: ChangeFeed.Listener?
        /// Who waits until `initialize` has been answered, which comes first; nil where it is not under way.
        var afterHandshake: [Mailbox<Bool>]?
        var isClosed = false
        var idle: [Mailbox<Bool>] = []
    }

    private let service: any CallService
    private let server: String
    private let caller: Caller
    private let speaksModern: Bool
    /// Unique; what upstreams keep for this client alone is found by it.
    private let session: String
    private let jsonDepthMax: Int
    /// Hands one message to the client; false when it takes no more.
    private let send: @Sendable ([UInt8]) -> Bool
    private let state = Mutex(State())
    private let questions = ClientQuestions()
    private let watches = ResourceWatches()

    package init(
        service: any CallService, server: String, caller: Caller, speaksModern: Bool, session: String, jsonDepthMax: Int = 128,
        send: @escaping @Sendable ([UInt8]) -> Bool
    ) {
        self.service = service
        self.server = server
        self.caller = caller
        self.speaksModern = speaksModern
        self.session = session
        self.jsonDepthMax = jsonDepthMax
        self.send = send
    }

    /// Takes one message from the client. Must be called on a loop.
    ///
    /// `sender` is who sent this one, where every message proves it anew; it has the same identity as the client's caller.
    package func receive(_ bytes: [UInt8], from sender: Caller? = nil) {
        if bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "["), let revision = state.withLock({ $0.revision }), revision <= .v2025_03_26 {
            return receive(batch: bytes, from: sender)
        }
        let message: Message
        do {
            message = try Message(scanning: bytes, depthMax: jsonDepthMax)
        } catch {
            _ = send(Reply(error.error, id: error.id ?? [], isIDKnown: error.id != nil).bytes)
            return
        }
        switch message.kind {
        case .request: begin(message, from: sender ?? caller) { [send] in if let reply = $0 { _ = send(reply) } }
        case .notification: take(message)
        case .result, .error: questions.take(message, from: "")
        }
    }

    /// Each member is answered as if it had come alone, but all together (MCP 2025-03-26 basic, "Batching").
    private func receive(batch bytes: [UInt8], from sender: Caller?) {
        let parts: [[UInt8]]
        do {
            parts = try LegacyHandshake.members(ofBatch: bytes, depthMax: jsonDepthMax)
        } catch {
            _ = send(Reply(ProtocolError(.parse, "Parse error: \(error)"), id: [], isIDKnown: false).bytes)
            return
        }
        guard !parts.isEmpty, parts.count <= LegacyHandshake.batchLengthMax else {
            let error = ProtocolError(.invalidRequest, "Invalid request: a batch has 1 to \(LegacyHandshake.batchLengthMax) members")
            _ = send(Reply(error, id: [], isIDKnown: false).bytes)
            return
        }
        let replies = BatchReplies(count: parts.count, send: send)
        for part in parts {
            do {
                let message = try Message(scanning: part, depthMax: jsonDepthMax)
                switch message.kind {
                case .request where message.method == .initialize:
                    let id = message.id.map { message.bytes[$0.range] } ?? []
                    replies.add(Reply(ProtocolError(.invalidRequest, "Invalid request: `initialize` in a batch"), id: id).bytes)
                case .request: begin(message, from: sender ?? caller) { replies.add($0) }
                case .notification:
                    take(message)
                    replies.add(nil)
                case .result, .error:
                    questions.take(message, from: "")
                    replies.add(nil)
                }
            } catch {
                replies.add(Reply(error.error, id: error.id ?? [], isIDKnown: error.id != nil).bytes)
            }
        }
    }

    /// Cancels what runs and forgets the client.
    package func close() {
        let (running, listener, isFirst) = state.withLock { state in
            defer { state.isClosed = true }
            return (Array(state.running.values) + Array(state.subscriptions.values), state.listener, !state.isClosed)
        }
        for call in running { call.cancel() }
        questions.forget("")
        listener?.changes.close()
        if isFirst { service.sessionEnded(session) }
    }

    /// Waits until nothing runs any more, streams of notifications aside; at most so long.
    package func finishRunning(within time: Duration) async {
        let end = ContinuousClock.now + time
        while true {
            let mailbox = Mailbox<Bool>(capacity: 1)
            let isIdle = state.withLock { state in
                guard !state.running.isEmpty else { return true }
                state.idle.append(mailbox)
                return false
            }
            guard !isIdle, case .element = await mailbox.next(within: max(end - .now, .zero)) else { return }
        }
    }

    // MARK: - Messages

    private func take(_ notification: Message) {
        switch notification.method {
        case .cancelled:
            guard let id = notification.params.requestID else { return }
            let key = String(decoding: notification.bytes[id.range], as: UTF8.self)
            state.withLock { $0.running[key] ?? $0.subscriptions[key] }?.cancel()
        case .initialized:
            guard state.withLock({ $0.listener == nil && !$0.isClosed }), let (revision, capabilities) = opened else { return }
            let client = SessionClient(
                session: session, abilities: ClientAbilities(capabilities, of: revision), questions: questions, name: "")
            let listener = service.changes.listen(to: server, as: caller, in: client, watching: watches)
            state.withLock { $0.listener = listener }
            EventLoop.current?.task { [self] in
                await finishHandshake()
                while let change = await listener.changes.next(), change != .end {
                    if let notification = change.legacyNotification { _ = send(notification) }
                }
                service.changes.leave(listener)
            }
        case .rootsChanged:
            guard let (revision, capabilities) = opened else { return }
            let call = Call(
                server: server, caller: caller, message: notification, revision: revision, clientCapabilities: capabilities, logLevel: nil,
                cancellation: Cancellation(), transport: speaksModern ? .stdio : .sse, session: session)
            service.rootsChanged(for: call)
        default: break
        }
    }

    /// What a legacy client has opened its session with; nil before.
    private var opened: (Revision, [UInt8])? { state.withLock { state in state.revision.map { ($0, state.capabilities) } } }

    /// Taken at once, since what follows on the channel builds on it; answered when the upstreams have had their chance.
    private func initialize(_ message: Message, id: ArraySlice<UInt8>, from caller: Caller) async -> Reply {
        do {
            let revision = try LegacyHandshake.revision(for: message)
            await service.prepare(server, for: caller, with: ClientAbilities(state.withLock { $0.capabilities }, of: revision))
            guard let description = service.describe(server) else {
                return Reply(ProtocolError(.internalError, "the virtual server has gone"), id: id)
            }
            return description.initialized(revision, id: id)
        } catch {
            return Reply(error, id: id)
        }
    }

    private func begin(handshake message: Message) {
        guard let revision = try? LegacyHandshake.revision(for: message) else { return }
        let capabilities = message.params.capabilities.map { Array(message.bytes[$0.range]) } ?? Array("{}".utf8)
        state.withLock { state in
            state.revision = revision
            state.capabilities = capabilities
            state.afterHandshake = state.afterHandshake ?? []
        }
    }

    private func endHandshake() {
        let waiting = state.withLock { state in
            defer { state.afterHandshake = nil }
            return state.afterHandshake ?? []
        }
        for mailbox in waiting { _ = mailbox.send(true) }
    }

    /// Waits until `initialize` has been answered, where that is under way.
    private func finishHandshake() async {
        let mailbox = Mailbox<Bool>(capacity: 1)
        let isUnderWay = state.withLock { state in
            state.afterHandshake?.append(mailbox)
            return state.afterHandshake != nil
        }
        if isUnderWay { _ = await mailbox.next() }
    }

    private func isModern(_ message: Message) -> Bool {
        speaksModern && (message.params.meta?.protocolVersion != nil || message.method == .discover || message.method == .listen)
    }

    /// `respond` gets the response, once; nil where there is none.
    private func begin(_ message: Message, from caller: Caller, respond: @escaping @Sendable ([UInt8]?) -> Void) {
        let id = message.id.map { message.bytes[$0.range] } ?? []
        let isHandshake = message.method == .initialize && !isModern(message)
        if isHandshake { begin(handshake: message) }
        let key = message.idText ?? ""
        let cancellation = Cancellation()
        let problem = state.withLock { state -> ProtocolError? in
            guard state.running[key] == nil, state.subscriptions[key] == nil else {
                return ProtocolError(.invalidRequest, "Invalid request: this id is in use")
            }
            guard state.running.count + state.subscriptions.count < Self.runningMax else {
                return ProtocolError(.internalError, "too many requests at once")
            }
            if message.method == .listen { state.subscriptions[key] = cancellation } else { state.running[key] = cancellation }
            return nil
        }
        if let problem {
            respond(Reply(problem, id: id).bytes)
            if isHandshake { endHandshake() }
            return
        }
        EventLoop.current?.task { [self] in
            if !isHandshake { await finishHandshake() }
            let reply = await answer(message, id: id, from: caller, cancellation: cancellation)
            let idle = state.withLock { state in
                state.running[key] = nil
                state.subscriptions[key] = nil
                defer { if state.running.isEmpty { state.idle = [] } }
                return state.running.isEmpty ? state.idle : []
            }
            respond(cancellation.isCancelled ? nil : reply?.bytes)
            if isHandshake { endHandshake() }
            for mailbox in idle { _ = mailbox.send(true) }
        }
    }

    private func answer(_ message: Message, id: ArraySlice<UInt8>, from caller: Caller, cancellation: Cancellation) async -> Reply? {
        if isModern(message) {
            return await answerModern(message, id: id, from: caller, cancellation: cancellation)
        }
        switch message.method {
        case .initialize:
            return await initialize(message, id: id, from: caller)
        case .ping:
            return Reply(result: [], id: id, era: .legacy)
        case .setLogLevel:
            guard let level = message.text(message.params.level).flatMap(LogLevel.init) else {
                return Reply(ProtocolError(.invalidParams, "Invalid params: `level` must be one of \(LogLevel.list)"), id: id)
            }
            state.withLock { $0.logLevel = level }
            return Reply(result: [], id: id, era: .legacy)
        default:
            let (revision, capabilities, level) = state.withLock { ($0.revision, $0.capabilities, $0.logLevel) }
            guard let revision else {
                let hint =
                    speaksModern ? "send `initialize` first, or the `_meta` of revision \(Revision.latestModern.rawValue)" : "send `initialize` first"
                return Reply(ProtocolError(.invalidRequest, "Invalid request: \(hint)"), id: id)
            }
            let call = Call(
                server: server, caller: caller, message: message, revision: revision, clientCapabilities: capabilities, logLevel: level,
                cancellation: cancellation, transport: speaksModern ? .stdio : .sse, session: session)
            if message.method == .subscribe || message.method == .unsubscribe { return await service.changeWatches(watches, by: call) }
            return await service.answer(call, to: DuplexReplyChannel(send: send, cancellation: cancellation, questions: questions))
        }
    }

    private func answerModern(
        _ message: Message, id: ArraySlice<UInt8>, from caller: Caller, cancellation: Cancellation
    ) async -> Reply? {
        do {
            let checked = try ModernRequest.check(message, headers: nil)
            switch message.method {
            case .discover:
                await service.prepare(server, for: caller, with: ClientAbilities(checked.capabilities, of: .v2026_07_28))
                return service.describe(server).map { $0.discovered(id: id) }
            default:
                let call = Call(
                    server: server, caller: caller, message: message, revision: .v2026_07_28, clientCapabilities: checked.capabilities,
                    logLevel: checked.logLevel, cancellation: cancellation, transport: .stdio, session: session)
                if message.method == .listen { return try await serveListen(call) }
                return await service.answer(call, to: DuplexReplyChannel(send: send, cancellation: cancellation))
            }
        } catch {
            return Reply(error, id: id)
        }
    }

    /// Lasts until it is cancelled or the gateway ends (MCP 2026-07-28 basic/patterns/subscriptions).
    private func serveListen(_ call: Call) async throws(ProtocolError) -> Reply? {
        let subscription = try Subscription(call.message, id: call.id, capabilities: service.describe(server)?.capabilities ?? [:])
        let watches = ResourceWatches()
        let listener = service.changes.listen(to: server, as: call.caller, watching: watches)
        defer { service.changes.leave(listener) }
        let watched = await service.watch(subscription, for: call, into: watches)
        call.cancellation.whenCancelled { listener.changes.close() }
        let isOver = Cancellation()
        defer { isOver.cancel() }
        if !call.cancellation.isCancelled {
            let followed = await service.follow(subscription, for: call, until: isOver) { [listener] in listener.changes.send(.said(.taskChanged, $0))
            }
            _ = send(subscription.acknowledgement(watched: watched, followed: followed.ids))
            followed.begin()
        }
        while let change = await listener.changes.next() {
            if subscription.ends(with: change) { return Reply(bytes: subscription.end) }
            if let notification = subscription.notification(of: change) { _ = send(notification) }
        }
        return nil
    }
}

/// What comes before the response to one request on a shared channel.
private final class DuplexReplyChannel: ClientChannel {
    private let send: @Sendable ([UInt8]) -> Bool
    private let cancellation: Cancellation
    private var questions: CallQuestions?

    /// `questions` is nil for a modern client.
    init(send: @escaping @Sendable ([UInt8]) -> Bool, cancellation: Cancellation, questions: ClientQuestions? = nil) {
        self.send = send
        self.cancellation = cancellation
        self.questions = questions.map { CallQuestions($0, client: "") }
    }

    var canAsk: Bool { questions != nil }

    func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) async {
        guard !cancellation.isCancelled, let request = questions?.ask(question, answer: answer), send(request) else {
            return answer(.refusal(ProtocolError(.internalError, "the client can't be asked")))
        }
    }

    func withdraw(_ key: String?) async {
        for notification in questions?.withdraw(key) ?? [] { _ = send(notification) }
    }

    func notify(_ bytes: [UInt8]) async {
        if !cancellation.isCancelled { _ = send(bytes) }
    }
}
