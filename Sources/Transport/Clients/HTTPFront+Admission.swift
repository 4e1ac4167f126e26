import Auth
import Diagnostics
import Network

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension HTTPFront {
    /// Finds the virtual server and who calls; nil after answering whoever is not let in.
    ///
    /// The server comes first: an unknown name is 404 for every caller. A caller who was recognised before is told without waiting.
    func admit(_ exchange: HTTPExchange, at route: HTTPRoute, to name: String?, fields: [(String, String)]) async -> Visit? {
        guard let server = service.server(named: name) else {
            exchange.respondUnknownServer(name, fields: fields)
            return nil
        }
        let headers = exchange.request.headers
        // Two readers could take different ones.
        guard headers.count(of: "authorization") + headers.count(of: "x-api-key") <= 1 else {
            exchange.respondText(400, "prove who you are once: one Authorization, or one X-API-Key", fields: fields)
            return nil
        }
        let identity = service.identity
        let caller: Caller
        do throws(IdentityRefusal) {
            caller = try await recognise(exchange.request, at: route, identity)
        } catch {
            refuse(exchange, error, at: route, server: server, fields: fields)
            return nil
        }
        guard identity.settings.suffices(caller) else {
            let challenge = Challenge(exchange.request, route, identity.settings, settings)
            tell("identity", "\(caller) lacks a scope for \(server)")
            service.turnedAway(caller, from: server, peer: exchange.request.peer.host, transport: route.transport, because: "a scope is missing")
            let text = "the token lacks a scope: \(identity.settings.scopes(for: caller).joined(separator: " "))"
            exchange.respondText(403, text, fields: fields + [challenge.field(error: "insufficient_scope", for: caller)])
            return nil
        }
        return Visit(server: server, caller: caller, route: route, fields: fields)
    }

    private func recognise(_ request: HTTPRequest, at route: HTTPRoute?, _ identity: Identity) async throws(IdentityRefusal) -> Caller {
        var presented = Presented(request)
        if presented.authorization != nil, !identity.settings.issuers.isEmpty, let path = route?.resourcePath {
            presented.resource = settings.base(of: request) + path
        }
        if let known = identity.remembered(presented) { return known }
        return try await identity.identify(presented)
    }

    private func refuse(
        _ exchange: HTTPExchange, _ refusal: IdentityRefusal, at route: HTTPRoute, server: String, fields: [(String, String)]
    ) {
        let challenge = Challenge(exchange.request, route, service.identity.settings, settings)
        service.turnedAway(
            nil, from: server, peer: exchange.request.peer.host, transport: route.transport, because: "\(refusal)")
        switch refusal {
        case .missing:
            exchange.respondText(401, "say who you are: Authorization: Bearer KEY-OR-TOKEN", fields: fields + [challenge.field()])
        case .invalid(let reason):
            tell("identity", "a caller of \(server) from \(exchange.request.peer.host) was refused: \(reason)")
            exchange.respondText(401, "the key, token or certificate is not accepted", fields: fields + [challenge.field(error: "invalid_token")])
        case .unavailable(let reason):
            Log("identity").error("a caller of \(server) can't be recognised now: \(reason)")
            exchange.respondText(503, "callers can't be recognised at the moment", fields: fields + [("Retry-After", "5")])
        }
    }

    /// Answers a request whose caller lost access while it ran; false when they did not.
    func answerLostAccess(_ exchange: HTTPExchange, _ visit: Visit) -> Bool {
        let identity = service.identity
        guard visit.caller.proof != .none, !exchange.hasStarted, !identity.isStillGood(visit.caller) else { return false }
        refuse(exchange, .invalid("access ended during the call"), at: visit.route, server: visit.server, fields: visit.fields)
        return true
    }

    /// Whether a request for `/readyz` may know more than that the gateway is ready: where callers have names, those who say theirs, and
    /// people at this machine, unless a proxy may be the one who asks.
    func mayKnowDetails(_ request: HTTPRequest) async -> Bool {
        let identity = service.identity
        guard identity.settings.isConfigured else { return true }
        let host = HTTPFrontSettings.hostName(request.headers["host"] ?? "") ?? ""
        if request.peer.isLoopback, settings.publicURL == nil, HTTPFrontSettings.isLoopback(host) { return true }
        guard request.headers.count(of: "authorization") + request.headers.count(of: "x-api-key") <= 1 else { return false }
        do throws(IdentityRefusal) {
            let caller = try await recognise(request, at: nil, identity)
            return caller.proof != .none && identity.settings.suffices(caller)
        } catch {
            return false
        }
    }

    /// Ends streams and calls of callers who would not be let in any more; call it when keys or settings change, and once a second.
    package func endLostAccess() {
        let identity = service.identity
        access.endLost(now: time(nil)) { identity.isStillGood($0) }
    }
}

extension Presented {
    /// What a request shows; a certificate that has run out since the handshake is none.
    init(_ request: HTTPRequest) {
        self.init(authorization: request.headers["authorization"], apiKey: request.headers["x-api-key"])
        if let shown = request.clientCertificate, shown.expires > time(nil) {
            certificate = PresentedCertificate(
                uriNames: shown.uriNames, commonName: shown.commonName, fingerprint: shown.fingerprint, expires: shown.expires)
        }
    }
}
