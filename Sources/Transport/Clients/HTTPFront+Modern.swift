import Auth
import JSON
import MCPProtocol
import Network

extension HTTPFront {
    /// A request of 2026-07-28: stateless, header and body agreeing; closing the connection cancels it.
    func handleModern(_ message: Message, _ exchange: HTTPExchange, _ channel: HTTPReplyChannel, _ visit: Visit) async {
        guard message.kind == .request, let id = message.id.map({ message.bytes[$0.range] }) else {
            // No notification is defined for clients here, and responses are never awaited: taken, and nothing done.
            if message.kind == .notification { return exchange.respond(202, contentType: nil, fields: visit.fields) }
            let error = ProtocolError(.invalidRequest, "Invalid request: responses are not sent in this revision")
            return await channel.finish(Reply(error, id: [], isIDKnown: false).bytes, status: 400)
        }
        let checked: (capabilities: [UInt8], logLevel: LogLevel?)
        do {
            checked = try ModernRequest.check(message, headers: exchange.request.headers)
        } catch {
            let reply = Reply(error, id: id)
            return await channel.finish(reply.bytes, status: reply.modernStatus)
        }
        switch message.method {
        case .listen:
            await serveListen(message, id: id, exchange, channel, visit)
        case .discover:
            guard let description = service.describe(visit.server) else { return exchange.respondUnknownServer(visit.server) }
            service.prepare(visit.server, for: ClientAbilities(checked.capabilities, of: .v2026_07_28))
            await channel.finish(description.discovered(id: id).bytes, status: 200)
        default:
            let cancellation = Cancellation()
            exchange.onPeerGone = { cancellation.cancel() }
            if exchange.isPeerGone { cancellation.cancel() }
            let ticket = visit.caller.proof == .none ? nil : access.enter(visit.caller, .call) { cancellation.cancel() }
            defer { if let ticket { access.leave(ticket) } }
            let call = Call(
                server: visit.server, caller: visit.caller, message: message, revision: .v2026_07_28, clientCapabilities: checked.capabilities,
                logLevel: checked.logLevel, cancellation: cancellation, headers: exchange.request.headers)
            channel.keepAlive()
            let reply = await service.answer(call, to: channel)
            exchange.onPeerGone = nil
            guard let reply else { return answerLostAccess(exchange, visit) ? channel.close() : channel.abandon() }
            await channel.finish(reply.bytes, status: reply.modernStatus)
        }
    }

    /// MCP 2026-07-28 basic/patterns/subscriptions.
    private func serveListen(
        _ message: Message, id: ArraySlice<UInt8>, _ exchange: HTTPExchange, _ channel: HTTPReplyChannel, _ visit: Visit
    ) async {
        let subscription: Subscription
        do {
            subscription = try Subscription(message, id: id)
        } catch {
            let reply = Reply(error, id: id)
            return await channel.finish(reply.bytes, status: reply.modernStatus)
        }
        let listener = service.changes.listen(to: visit.server, as: visit.caller)
        defer { service.changes.leave(listener) }
        let ticket = access.enter(visit.caller, .stream) { listener.changes.close() }
        defer { access.leave(ticket) }
        exchange.onPeerGone = { listener.changes.close() }
        await channel.notify(subscription.acknowledgement)
        while !exchange.isPeerGone {
            switch await listener.changes.next(within: settings.heartbeat) {
            case .timedOut: try? await exchange.send(SSE.comment())
            case .element(.tools): if subscription.wantsTools { await channel.notify(subscription.toolsChanged) }
            case .element(.end), .closed:
                await channel.finish(subscription.end, status: 200)
                return
            }
        }
    }
}

/// One `subscriptions/listen`: what it asked for, and the messages that it gets.
struct Subscription {
    let wantsTools: Bool
    private let tag: [UInt8]
    private let id: [UInt8]

    init(_ message: Message, id: ArraySlice<UInt8>) throws(ProtocolError) {
        guard let filter = message.params.notifications, filter.kind == .object else {
            throw ProtocolError(.invalidParams, "Invalid params: `notifications` must be an object")
        }
        wantsTools = message.value(filter)["toolsListChanged"] == true
        self.id = Array(id)
        tag = Array("\"_meta\":{\"\(MetaKey.subscriptionID)\":".utf8) + Array(id) + [UInt8(ascii: "}")]
    }

    var acknowledgement: [UInt8] {
        notification(.acknowledged, Array((wantsTools ? #","notifications":{"toolsListChanged":true}"# : #","notifications":{}"#).utf8))
    }
    var toolsChanged: [UInt8] { notification(.toolsChanged) }
    /// The response that says the stream ended as it should.
    var end: [UInt8] {
        Array("{\"jsonrpc\":\"2.0\",\"id\":".utf8) + id + Array(",\"result\":{\"resultType\":\"complete\",".utf8) + tag + Array("}}".utf8)
    }

    private func notification(_ method: MCPProtocol.Method, _ rest: [UInt8] = []) -> [UInt8] {
        Array("{\"jsonrpc\":\"2.0\",\"method\":\"\(method.rawValue)\",\"params\":{".utf8) + tag + rest + Array("}}".utf8)
    }
}
