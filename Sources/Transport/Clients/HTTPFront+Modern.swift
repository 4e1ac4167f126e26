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
        let cancellation = Cancellation()
        let call = Call(
            server: visit.server, caller: visit.caller, message: message, revision: .v2026_07_28, clientCapabilities: checked.capabilities,
            logLevel: checked.logLevel, cancellation: cancellation, headers: exchange.request.headers)
        switch message.method {
        case .listen:
            await serveListen(call, exchange, channel, visit)
        case .discover:
            await service.prepare(visit.server, for: visit.caller, with: call.abilities)
            guard let description = service.describe(visit.server) else { return exchange.respondUnknownServer(visit.server) }
            await channel.finish(description.discovered(id: id).bytes, status: 200)
        default:
            exchange.onPeerGone = { cancellation.cancel() }
            if exchange.isPeerGone { cancellation.cancel() }
            let ticket = visit.caller.proof == .none ? nil : access.enter(visit.caller, .call) { cancellation.cancel() }
            defer { if let ticket { access.leave(ticket) } }
            channel.keepAlive()
            let reply = await service.answer(call, to: channel)
            exchange.onPeerGone = nil
            guard let reply else { return answerLostAccess(exchange, visit) ? channel.close() : channel.abandon() }
            await channel.finish(reply.bytes, status: reply.modernStatus)
        }
    }

    /// MCP 2026-07-28 basic/patterns/subscriptions.
    private func serveListen(_ call: Call, _ exchange: HTTPExchange, _ channel: HTTPReplyChannel, _ visit: Visit) async {
        let subscription: Subscription
        do {
            subscription = try Subscription(call.message, id: call.id, capabilities: service.describe(visit.server)?.capabilities ?? [:])
        } catch {
            let reply = Reply(error, id: call.id)
            return await channel.finish(reply.bytes, status: reply.modernStatus)
        }
        let watches = ResourceWatches()
        let listener = service.changes.listen(to: visit.server, as: visit.caller, watching: watches)
        defer { service.changes.leave(listener) }
        let ticket = access.enter(visit.caller, .stream) { call.cancellation.cancel() }
        defer { access.leave(ticket) }
        exchange.onPeerGone = { call.cancellation.cancel() }
        if exchange.isPeerGone { call.cancellation.cancel() }
        await channel.openStream()
        let watched = await service.watch(subscription, for: call, into: watches)
        call.cancellation.whenCancelled { listener.changes.close() }
        let isOver = Cancellation()
        defer { isOver.cancel() }
        if !call.cancellation.isCancelled {
            let followed = await service.follow(subscription, for: call, until: isOver) { [listener] in listener.changes.send(.said(.taskChanged, $0))
            }
            await channel.notify(subscription.acknowledgement(watched: watched, followed: followed.ids))
            followed.begin()
        }
        while let change = await listener.changes.next(), !subscription.ends(with: change) {
            if let notification = subscription.notification(of: change) { await channel.notify(notification) }
        }
        await channel.finish(subscription.end, status: 200)
    }
}
