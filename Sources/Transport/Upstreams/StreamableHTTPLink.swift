import Diagnostics
import JSON
import MCPProtocol
import Network
import Synchronization

/// Streamable HTTP towards an upstream, in either era: every message its own POST (MCP basic/transports/streamable-http).
final class StreamableHTTPLink: UpstreamLink {
    let peer: UpstreamPeer
    /// What a new session is told that it may ask.
    private let abilities: ClientAbilities
    private let endpoint: HTTPEndpoint
    private let onEvent: @Sendable (LinkEvent) -> Void
    private let log: Log
    private let nextID = Atomic<Int>(10)
    /// The legacy era's session, where the upstream has sessions.
    private let session: Mutex<String?>
    private let isClosed = Cancellation()
    /// Ends the streams on which a modern upstream tells of its resources.
    private let subscriptions = Mutex<[Int: Cancellation]>([:])
    private let running = Mutex<[Int: Cancellation]>([:])
    private let askable = Mutex(Askable())
    private let stray = Mutex<StrayQuestions?>(nil)

    private struct Askable {
        var calls = AskableCalls()
        var inboxes: [Int: QuestionInbox] = [:]
    }

    init(
        peer: UpstreamPeer, session: String?, declaring abilities: ClientAbilities, endpoint: HTTPEndpoint, log: Log,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) {
        self.peer = peer
        self.session = Mutex(session)
        self.abilities = abilities
        self.endpoint = endpoint
        self.log = log
        self.onEvent = onEvent
    }

    func exchange(
        _ request: UpstreamRequest, within limit: CallLimit, cancellation: Cancellation, onMessage: (Interjection) async -> Void
    ) async throws(UpstreamError) -> Message {
        var clock = CallClock(limit)
        let id = nextID.add(1, ordering: .relaxed).newValue
        let body = request.bytes(id: id, era: peer.era)
        let current = session.withLock { $0 }
        running.withLock { $0[id] = cancellation }
        let inbox = request.canAsk && peer.era == .legacy ? request.origin.map { openInbox(id, of: $0) } : nil
        defer {
            running.withLock { _ = $0.removeValue(forKey: id) }
            if inbox != nil { closeInbox(id) }
            cancellation.whenCancelled(nil)
        }
        do throws(UpstreamError) {
            var questions: OpenQuestions?
            defer { questions?.refuseAll("the call is over") }
            func ask(_ request: Message) async {
                let asking =
                    questions
                    ?? OpenQuestions { [self] in
                        askable.withLock { $0.calls.wasAnswered(id) }
                        await notify($0)
                    }
                questions = asking
                if let asked = await asking.take(request) { await onMessage(asked) }
            }
            func takeQuestions(_ clock: inout CallClock) async {
                while let message = inbox?.take() {
                    if message.kind == .request { await ask(message) } else { await onMessage(.notification(message)) }
                }
                if let questions { await questions.keep(&clock, onMessage) }
            }
            let posting = Posting(request, body, inbox: inbox, cancellation: cancellation)
            var response = try await post(posting, session: current, &clock, takeQuestions)
            if response.status == 404, current != nil {
                // The session has expired and nothing was done: open a new one and ask again (MCP 2025-11-25 basic/transports, "Session Management").
                response.cancel()
                try await renew(session: current, within: clock.remaining)
                response = try await post(posting, session: session.withLock { $0 }, &clock, takeQuestions)
            }
            var reader = StreamableHTTPReader(response: response, endpoint: endpoint, id: id)
            defer { reader.cancel() }
            inbox?.whenPut(reader.interrupter)
            while true {
                await takeQuestions(&clock)
                let message: Message
                do throws(UpstreamError) {
                    message = try await reader.next(within: clock.remaining)
                } catch {
                    if case .timedOut = error, inbox != nil, reader.interrupter != nil, clock.remaining > .zero || clock.isAnswerOverdue() {
                        continue
                    }
                    guard case .broken = error, !cancellation.isCancelled, let again = try await resume(reader, id, clock, cancellation) else {
                        throw error
                    }
                    reader = again
                    inbox?.whenPut(reader.interrupter)
                    continue
                }
                switch message.kind {
                case .result, .error:
                    note(message, to: request)
                    return message
                case .request:
                    guard peer.era == .legacy, message.method != .ping else {
                        await answer(message)
                        continue
                    }
                    askable.withLock { $0.calls.wasAsked(id, message) }
                    await ask(message)
                case .notification where message.method == .cancelled:
                    guard let withdrawal = questions?.withdrawal(message) else { continue }
                    askable.withLock { $0.calls.wasAnswered(id) }
                    await onMessage(withdrawal)
                case .notification:
                    if message.method == .progress { clock.sawProgress() }
                    if let event = LinkEvent(message), !belongs(message, to: id) {
                        onEvent(event)
                    } else {
                        await onMessage(.notification(message))
                    }
                }
            }
        } catch {
            let error = isClosed.isCancelled ? .broken("the gateway has closed the link") : cancellation.isCancelled ? .cancelled : error
            switch error {
            case .cancelled, .timedOut:
                if peer.era == .legacy, let origin = request.origin { askable.withLock { $0.calls.lingering.abandon(id, of: origin) } }
                await tellCancelled(id, because: error)
            case .unavailable(let reason): onEvent(.lost(reason))
            default: break
            }
            throw error
        }
    }

    /// Goes on reading a stream that the upstream has closed before it answered, where it gave its events ids; nil where that can't be done
    /// (MCP 2025-11-25 basic/transports, "Resumability and Redelivery").
    private func resume(
        _ reader: StreamableHTTPReader, _ id: Int, _ clock: CallClock, _ cancellation: Cancellation
    ) async throws(UpstreamError) -> StreamableHTTPReader? {
        guard peer.era == .legacy, let event = reader.lastEventID else { return nil }
        let wait = min(reader.retry ?? endpoint.limits.retryFirst, clock.remaining)
        guard (try? await EventLoop.current?.sleep(for: wait)) != nil, !cancellation.isCancelled else { return nil }
        let fields = fields(for: nil, session: session.withLock { $0 }) + [("Last-Event-ID", event)]
        let response = try await endpoint.send(.get, fields: fields, body: [], within: clock.remaining, cancellation: cancellation)
        guard response.status == 200, response.headers.isEventStream else {
            response.cancel()
            return nil
        }
        return StreamableHTTPReader(response: response, endpoint: endpoint, id: id)
    }

    func notify(_ bytes: [UInt8]) async { try? await post(bytes) }

    /// Sends without waiting for more than that it was taken.
    private func post(_ bytes: [UInt8]) async throws(UpstreamError) {
        let response = try await endpoint.send(
            .post, fields: fields(for: nil, session: session.withLock { $0 }), body: bytes, within: endpoint.limits.probeTime)
        _ = try? await response.body(max: 64 * 1024, within: endpoint.limits.probeTime)
    }

    func close() async {
        isClosed.cancel()
        for subscription in subscriptions.withLock({ Array($0.values) }) { subscription.cancel() }
        for call in running.withLock({ Array($0.values) }) { call.cancel() }
        guard let id = session.withLock({ $0 }) else { return }
        let response = try? await endpoint.send(.delete, fields: fields(for: nil, session: id), body: [], within: .seconds(1))
        _ = try? await response?.body(max: 64 * 1024, within: .seconds(1))
    }

    /// Keeps listening for list changes until the link is closed or the upstream will have none of it.
    func listen() async {
        if peer.era == .modern {
            guard !peer.announcedLists.isEmpty else { return }
            await keepListening(.listen(for: peer.announcedLists), until: isClosed, missed: [.allListsChanged])
        } else {
            await keepOpen(until: isClosed, missed: [.allListsChanged]) { [self] () async throws(UpstreamError) -> HTTPClientResponse in
                try await endpoint.send(
                    .get, fields: fields(for: nil, session: session.withLock { $0 }), body: [], within: endpoint.limits.openingTime,
                    cancellation: isClosed)
            }
        }
    }

    func listen(to resources: [String]) async throws(UpstreamError) -> ResourceStream {
        let isOver = Cancellation()
        let number = nextID.add(1, ordering: .relaxed).newValue
        let end = { @Sendable [self] in
            subscriptions.withLock { _ = $0.removeValue(forKey: number) }
            isOver.cancel()
        }
        subscriptions.withLock { $0[number] = isOver }
        if isClosed.isCancelled { end() }
        let heard = Mailbox<Set<String>>(capacity: 1)
        EventLoop.current?.task { [self] in
            let missed = resources.map { LinkEvent.resourceUpdated($0) }
            await keepListening(.listen(to: resources), until: isOver, missed: missed) { acknowledgement in
                _ = heard.send(acknowledgement.agreedResources(of: resources))
            }
            heard.close()
        }
        switch await heard.next(within: endpoint.limits.probeTime) {
        case .element(let heard): return ResourceStream(heard: heard, end: end)
        case .timedOut:
            end()
            throw .timedOut
        case .closed:
            end()
            throw .refused("it does not let its resources be subscribed to")
        }
    }

    private func keepListening(
        _ request: UpstreamRequest, until isOver: Cancellation, missed: [LinkEvent], whenHeard: (Message) -> Void = { _ in }
    ) async {
        await keepOpen(until: isOver, missed: missed, whenHeard: whenHeard) { [self] () async throws(UpstreamError) -> HTTPClientResponse in
            let id = nextID.add(1, ordering: .relaxed).newValue
            return try await endpoint.send(
                .post, fields: fields(for: request, session: nil), body: request.bytes(id: id, era: .modern),
                within: endpoint.limits.openingTime, cancellation: isOver)
        }
    }

    /// What changed while nobody listened is not told again, so `missed` is what may have.
    private func keepOpen(
        until isOver: Cancellation, missed: [LinkEvent], whenHeard: (Message) -> Void = { _ in },
        _ open: () async throws(UpstreamError) -> HTTPClientResponse
    ) async {
        var wait = endpoint.limits.retryFirst
        var isFirst = true
        while !isOver.isCancelled {
            let asked = session.withLock { $0 }
            let response = try? await open()
            if !isFirst, response == nil || response?.status == 404 {
                // It went away and may come back, perhaps without our session.
                response?.cancel()
                if response != nil, let asked { try? await renew(session: asked, within: endpoint.limits.openingTime) }
                guard !isOver.isCancelled, (try? await EventLoop.current?.sleep(for: wait)) != nil else { return }
                wait = min(wait * 2, endpoint.limits.retryMax)
                continue
            }
            guard let response, response.status == 200, response.headers.isEventStream else { return }
            if !isFirst { for event in missed { onEvent(event) } }
            isFirst = false
            let opened = ContinuousClock.now
            let reader = StreamableHTTPReader(response: response, endpoint: endpoint, id: nil)
            while let message = try? await reader.next(within: .seconds(3_600)) {
                if message.method == .acknowledged { whenHeard(message) }
                if message.method == .taskStatus { askable.withLock { $0.calls.lingering.note(message) } }
                if message.kind == .request {
                    await route(message)
                } else if message.method == .cancelled {
                    stray.withLock { $0 }?.withdraw(message)
                } else if let inbox = inbox(for: message) {
                    inbox.put(message)
                } else if let event = LinkEvent(message) {
                    onEvent(event)
                }
            }
            response.cancel()
            wait = ContinuousClock.now - opened > endpoint.limits.retryMax ? endpoint.limits.retryFirst : min(wait * 2, endpoint.limits.retryMax)
            guard !isOver.isCancelled, (try? await EventLoop.current?.sleep(for: wait)) != nil else { return }
        }
    }

    /// Sends a request and waits for the head of its response. An upstream that answers with JSON sends none before it is done, and asks on the
    /// session's stream: `takeQuestions` is called whenever something came there.
    private func post(
        _ posting: Posting, session: String?, _ clock: inout CallClock, _ takeQuestions: (inout CallClock) async -> Void
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let fields = fields(for: posting.request, session: session)
        guard let inbox = posting.inbox, let loop = EventLoop.current else {
            return try await endpoint.send(
                .post, fields: fields, body: posting.body, within: clock.remaining, cancellation: posting.cancellation)
        }
        let sending = Cancellation()
        posting.cancellation.whenCancelled { sending.cancel() }
        let news = Mailbox<Bool>(capacity: 1)
        inbox.whenPut { news.send(true) }
        let head = ResponseHead()
        let (body, time) = (posting.body, clock.longest)
        let endpoint = endpoint
        loop.spawn(with: head) { head in
            await head.receive { () async throws(UpstreamError) in
                try await endpoint.send(.post, fields: fields, body: body, within: time, cancellation: sending)
            }
            news.send(true)
        }
        while true {
            await takeQuestions(&clock)
            if let received = head.received { return try received.get() }
            guard clock.remaining > .zero else {
                sending.cancel()
                throw .timedOut
            }
            _ = await news.next(within: clock.remaining)
        }
    }

    private func renew(session stale: String?, within time: Duration) async throws(UpstreamError) {
        guard session.withLock({ $0 }) == stale else { return }
        let fresh: String?
        do {
            fresh = try await StreamableHTTPOpening.initialize(endpoint, declaring: abilities).1
        } catch {
            throw error.upstreamError
        }
        session.withLock { $0 = fresh }
        await notify(HandshakeNotification.initialized)
        onEvent(.renewed)
    }

    /// In the legacy era a closed stream cancels nothing; the notification does (MCP 2025-11-25 basic/utilities/cancellation).
    private func tellCancelled(_ id: Int, because error: UpstreamError) async {
        guard peer.era == .legacy else { return }
        await notify(
            JSONValue.notification("notifications/cancelled", ["requestId": .number(String(id)), "reason": .string(error.description)]))
    }

    /// A task may ask on the session's stream, as its call could.
    private func note(_ answer: Message, to request: UpstreamRequest) {
        guard peer.era == .legacy, let origin = request.origin, let matter = LingeringWork.Matter(request) else { return }
        askable.withLock { $0.calls.lingering.note(answer, to: matter, of: origin) }
    }

    private func openInbox(_ id: Int, of origin: UpstreamRequest.Origin) -> QuestionInbox {
        let inbox = QuestionInbox()
        askable.withLock { state in
            state.calls.insert(id, of: origin)
            state.inboxes[id] = inbox
        }
        return inbox
    }

    private func closeInbox(_ id: Int) {
        let inbox = askable.withLock { state in
            _ = state.calls.remove(id)
            return state.inboxes.removeValue(forKey: id)
        }
        inbox?.whenPut(nil)
        while let request = inbox?.take() { EventLoop.current?.task { [self] in await answer(request) } }
    }

    /// Whether a notification on a call's own stream is that call's: its client was sent to the link, or follows the task.
    private func belongs(_ notification: Message, to id: Int) -> Bool {
        switch notification.method {
        case .taskStatus: true
        case .elicitationCompleted: askable.withLock { $0.calls.call(of: notification) } == id
        default: false
        }
    }

    /// Where the word that a link's matter is done belongs to a call that still runs.
    private func inbox(for notification: Message) -> QuestionInbox? {
        guard notification.method == .elicitationCompleted else { return nil }
        return askable.withLock { state in state.calls.call(of: notification).flatMap { state.inboxes[$0] } }
    }

    /// Many servers ask on the session's stream, where a question names no call.
    private func route(_ request: Message) async {
        let inbox = askable.withLock { state -> QuestionInbox? in
            guard let call = state.calls.asked else { return nil }
            if request.method != .ping { state.calls.wasAsked(call, request) }
            return state.inboxes[call]
        }
        guard peer.era == .legacy, request.method != .ping, let inbox else { return await answer(request) }
        inbox.put(request)
    }

    private func answer(_ request: Message) async {
        guard peer.era == .legacy else { return }
        let stray = stray.withLock { stray in
            let known = stray ?? StrayQuestions { [weak self] in try? await self?.post($0) }
            stray = known
            return known
        }
        await stray.take(request, isAmbiguous: askable.withLock { $0.calls.isAmbiguous }, log: log, onEvent: onEvent)
    }

    private func fields(for request: UpstreamRequest?, session: String?) -> [(String, String)] {
        var fields = [("MCP-Protocol-Version", peer.revision.rawValue)]
        if let session { fields.append(("Mcp-Session-Id", session)) }
        if peer.era == .modern, let request {
            fields.append(("Mcp-Method", request.method))
            if let name = request.mirroredName { fields.append(("Mcp-Name", HeaderParameter.encode(name))) }
            for parameter in request.mirroredParameters { fields.append(parameter) }
        }
        return fields
    }
}

/// One request of a call, on its way.
private struct Posting {
    let request: UpstreamRequest
    let body: [UInt8]
    /// Where questions come that are not on the response's own stream; nil where nothing may be asked.
    let inbox: QuestionInbox?
    let cancellation: Cancellation

    init(_ request: UpstreamRequest, _ body: [UInt8], inbox: QuestionInbox?, cancellation: Cancellation) {
        self.request = request
        self.body = body
        self.inbox = inbox
        self.cancellation = cancellation
    }
}

/// What a request was answered with, once that is there. On one loop.
private final class ResponseHead {
    private(set) var received: Result<HTTPClientResponse, UpstreamError>?

    func receive(_ send: () async throws(UpstreamError) -> HTTPClientResponse) async {
        do throws(UpstreamError) { received = .success(try await send()) } catch { received = .failure(error) }
    }
}
