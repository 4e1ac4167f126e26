import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network
import Transport

/// How far a call came at its upstream.
enum CallOutcome {
    case answered(Message)
    /// It can go on when a modern client has answered.
    case asked(InputRequired)
}

/// What upstreams ask in mid-call, in the four ways in which the eras of both ends meet.
extension Gateway {
    /// How long a call waits for further questions when it has one, so that they are asked together.
    private static let gatherTime = Duration.milliseconds(100)
    /// Before an upstream is asked again that wants nothing but that.
    private static let againTime = Duration.milliseconds(500)

    /// The state that this call brings back; throws where it is another call's, too old, or none of ours.
    func round(of call: Call) throws -> Round? {
        guard call.era == .modern, let state = call.message.text(call.message.params.requestState) else { return nil }
        guard let round = Round(opening: state, with: try roundSeal.seal(), of: call) else { throw staleState() }
        return round
    }

    /// What a client answers counts once, and at the upstream that asked.
    func take(_ round: Round, at upstream: Upstream) async throws {
        guard round.upstream == upstream.name, await takenRounds.take(round) else { throw staleState() }
    }

    /// Makes the call; what the upstream asks meanwhile goes to the client, in the way that its era has for that.
    func converse(
        _ call: Call, _ request: UpstreamRequest, permit: Permit, with upstream: Upstream, after round: Round?, over channel: any ClientChannel
    ) async throws -> CallOutcome {
        if call.era == .legacy { return .answered(try await relay(call, request, permit: permit, with: upstream, over: channel)) }
        if case .parked(let id)? = round?.wait {
            guard let parked = parkedCalls.claim(id) else { throw staleState() }
            parked.answer(with: call.message.params.inputResponses.map(call.message.value) ?? [:])
            return try await attend(parked, for: call, from: upstream.name, after: round, over: channel)
        }
        if request.canAsk, upstream.status.peer?.era != .modern {
            return try await attend(ParkedCall(request, at: upstream, permit: permit), for: call, from: upstream.name, after: round, over: channel)
        }
        let response = try await upstream.call(request, permit: permit, cancellation: call.cancellation) { interjection in
            await self.pass(interjection, of: call, from: upstream, to: channel)
        }
        return try outcome(response, for: call)
    }

    /// Ends a modern client's call for the time being (MCP 2026-07-28 basic/patterns/mrtr).
    func inputRequired(_ call: Call, _ required: InputRequired, from upstream: String, after round: Round?) throws -> Reply {
        let round = Round(upstream: upstream, wait: required.wait, number: try number(after: round, from: upstream), of: call)
        var result = required.result
        result["resultType"] = "input_required"
        let questions = required.questions.map { JSONValue.Member($0.key, $0.worded(by: upstream).request) }
        result["inputRequests"] = questions.isEmpty ? nil : .object(questions)
        let life = max(900, Int(settings.limits.answerTime.components.seconds))
        result["requestState"] = .string(try round.sealed(with: try roundSeal.seal(), for: life))
        var meta = result["_meta"] ?? [:]
        if meta[MetaKey.serverInfo] == nil { meta[MetaKey.serverInfo] = snapshot.exposures[call.server]?.serverInfo ?? Product.info }
        result["_meta"] = meta
        let bytes = Array("{\"jsonrpc\":\"2.0\",\"id\":".utf8) + call.id + Array(",\"result\":".utf8) + result.bytes + [UInt8(ascii: "}")]
        return Reply(bytes: bytes)
    }

    // MARK: - Modern clients

    private func outcome(_ response: Message, for call: Call) throws -> CallOutcome {
        guard let required = try InputRequired(response, to: call.message.method) else { return .answered(response) }
        try required.check(against: call.abilities)
        return .asked(required)
    }

    /// Stays with a call that runs apart until it is over, or until it can't go on without answers.
    private func attend(
        _ parked: ParkedCall, for call: Call, from upstream: String, after round: Round?, over channel: any ClientChannel
    ) async throws -> CallOutcome {
        parked.attend()
        call.cancellation.whenCancelled { parked.cancel() }
        defer { call.cancellation.whenCancelled(nil) }
        while true {
            let open = parked.open
            guard let event = await parked.next(within: open.isEmpty ? nil : Self.gatherTime) else {
                if call.cancellation.isCancelled { throw UpstreamError.cancelled }
                do {
                    _ = try number(after: round, from: upstream)
                    if let id = try parkedCalls.park(parked) { return .asked(InputRequired(open, wait: .parked(id: id))) }
                    continue
                } catch {
                    await parked.end()
                    throw error
                }
            }
            switch event {
            case .interjection(.notification(let notification)):
                if let bytes = clientForm(of: notification, for: call) { await channel.notify(bytes) }
            case .interjection(.question(let asked)) where !call.abilities.isSuperset(of: ClientAbilities(neededFor: asked.question)):
                parked.refuse(asked)
            case .interjection: break
            case .ended(let result): return try outcome(try result.get(), for: call)
            case .dropped: throw cannotAsk(upstream, "answered while the client was away, with more than is kept: make the call again")
            }
        }
    }

    // MARK: - Legacy clients

    /// Makes the call, again and again while a modern upstream asks, with what the client has answered in between.
    private func relay(
        _ call: Call, _ request: UpstreamRequest, permit: Permit, with upstream: Upstream, over channel: any ClientChannel
    ) async throws -> Message {
        var next = request
        for _ in 0...Round.roundsMax {
            let response: Message
            do throws(UpstreamError) {
                response = try await upstream.call(next, permit: permit, cancellation: call.cancellation) { interjection in
                    await self.pass(interjection, of: call, from: upstream, to: channel)
                }
            } catch {
                await channel.withdraw(nil)
                throw error
            }
            await channel.withdraw(nil)
            guard response.errorCode != .urlElicitationRequired, let required = try InputRequired(response, to: call.message.method)
            else { return response }
            next = request
            next.continued(with: try await answers(to: required.questions, of: call, from: upstream.name, over: channel), required.wait)
            if required.questions.isEmpty { try? await EventLoop.current?.sleep(for: Self.againTime) }
        }
        throw tooManyRounds(upstream.name)
    }

    /// Asks everything at once and waits for all of it.
    func answers(
        to questions: [Question], of call: Call, from upstream: String, over channel: any ClientChannel
    ) async throws -> JSONValue {
        let needed = questions.reduce(into: ClientAbilities()) { $0.formUnion(ClientAbilities(neededFor: $1)) }
        guard call.abilities.isSuperset(of: needed) else { throw cannotAsk(upstream) }
        let answers = Mailbox<(Question, Answer)>(capacity: questions.count)
        call.cancellation.whenCancelled { answers.close() }
        defer { call.cancellation.whenCancelled(nil) }
        for question in questions {
            await channel.ask(question.worded(by: upstream)) { answers.send((question, $0)) }
        }
        var responses: JSONValue = [:]
        let deadline = ContinuousClock.now + settings.limits.answerTime
        for _ in questions {
            switch await answers.next(within: max(deadline - .now, .zero)) {
            case .element(let (question, answer)):
                guard let response = answer.response(to: question) else {
                    await channel.withdraw(nil)
                    throw cannotAsk(upstream, "asked for something in mid-call that the client did not give")
                }
                responses[question.key] = response
            case .timedOut:
                await channel.withdraw(nil)
                throw cannotAsk(upstream, "asked for something in mid-call, and nobody answered in time")
            case .closed:
                await channel.withdraw(nil)
                throw UpstreamError.cancelled
            }
        }
        return responses
    }

    /// Error −32042 as a client of 2025-11-25 may see it: it says who asks; nil for other responses.
    func linksRequired(_ response: Message, for call: Call, from upstream: Upstream) throws -> ProtocolError? {
        guard call.era == .legacy, let required = try InputRequired(response, to: call.message.method), required.wait == .links else { return nil }
        guard call.abilities.contains(.links) else { throw cannotAsk(upstream.name) }
        for question in required.questions { remember(question, for: call, at: upstream) }
        let elicitations = required.questions.map { $0.worded(by: upstream.name).params }
        return ProtocolError(
            .urlElicitationRequired, "\(upstream.name): something must be done behind a link first", data: ["elicitations": .array(elicitations)])
    }

    /// Passes on what comes before the response.
    func pass(_ interjection: Interjection, of call: Call, from upstream: Upstream, to channel: any ClientChannel) async {
        switch interjection {
        case .notification(let notification):
            if let bytes = clientForm(of: notification, for: call) { await channel.notify(bytes) }
        case .question(let asked):
            guard channel.canAsk, call.abilities.isSuperset(of: ClientAbilities(neededFor: asked.question)) else {
                return asked.reply(.refusal(.cannotBeAsked(asked.question.method.rawValue)))
            }
            remember(asked.question, for: call, at: upstream)
            await channel.ask(asked.question.worded(by: upstream.name), answer: asked.reply)
        case .withdrawal(let key): await channel.withdraw(key)
        }
    }

    /// Throws where the person declined what the call needs.
    func checkConsent(_ call: Call, after round: Round?) throws(ProtocolError) {
        guard let round, round.wait == .links, let answers = call.message.params.inputResponses.map(call.message.value) else { return }
        guard answers.members?.contains(where: { ["decline", "cancel"].contains($0.value["action"]?.string) }) == true else { return }
        throw cannotAsk(round.upstream, "needs something to be done behind a link, which the user declined")
    }

    // MARK: - Refusals

    func staleState() -> ProtocolError {
        ProtocolError(.invalidParams, "Invalid params: `requestState` does not belong to this call, is too old, or was used already")
    }

    /// Of the round that comes next; throws where there were enough.
    private func number(after round: Round?, from upstream: String) throws(ProtocolError) -> Int {
        let number = (round?.number ?? 0) + 1
        guard number <= Round.roundsMax else { throw tooManyRounds(upstream) }
        return number
    }

    private func tooManyRounds(_ upstream: String) -> ProtocolError {
        cannotAsk(upstream, "has asked \(Round.roundsMax) times and has not answered yet")
    }

    func cannotAsk(_ upstream: String, _ what: String = "asks for something in mid-call that this client can't answer") -> ProtocolError {
        ProtocolError(.internalError, "The upstream \"\(upstream)\" \(what)")
    }
}

extension UpstreamRequest {
    /// The retry of a request, with the answers to what the upstream asked and its own state (MCP 2026-07-28 basic/patterns/mrtr).
    fileprivate mutating func continued(with answers: JSONValue, _ wait: Round.Wait) {
        if answers.members?.isEmpty == false {
            members.append(",\"inputResponses\":")
            members.append(contentsOf: answers.bytes)
        }
        if case .upstream(let state?) = wait {
            members.append(",\"requestState\":")
            members.append(jsonString: state)
        }
    }
}
