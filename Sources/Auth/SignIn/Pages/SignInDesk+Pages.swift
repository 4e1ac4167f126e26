import Diagnostics
import JSON

extension SignInDesk {
    /// Answers a browser.
    package func answer(_ request: SignInRequest) async -> SignInReply {
        if request.path == "callback" {
            guard request.method == "GET" else { return Self.wrongMethod("GET") }
            return await comeBack(request)
        }
        if request.path.hasPrefix("sign-in/") {
            let secret = String(request.path.dropFirst("sign-in/".utf8.count))
            switch request.method {
            case "GET", "HEAD": return show(secret, request)
            case "POST": return await agree(secret, request)
            default: return Self.wrongMethod("GET, POST")
            }
        }
        if request.path.hasPrefix("client/"), request.path.hasSuffix(".json") { return document(of: String(request.path.dropFirst(7).dropLast(5))) }
        return Self.notFound
    }

    /// Our client-id metadata document for one upstream (draft-ietf-oauth-client-id-metadata-document-00).
    private func document(of upstream: String) -> SignInReply {
        guard let site, serves(document: upstream), let address = site.clientDocument(of: upstream) else { return Self.notFound }
        var metadata = site.metadata(method: "none")
        metadata["client_id"] = .string(address)
        metadata["client_uri"] = .string(site.base)
        let fields = [("Cache-Control", "public, max-age=300"), ("X-Content-Type-Options", "nosniff")]
        return SignInReply(status: 200, isHTML: false, fields: fields, body: metadata.bytes)
    }

    // MARK: - The link

    /// The page that says who wants what. Looking at it uses nothing up: mail and chat programs look at links, too.
    private func show(_ secret: String, _ request: SignInRequest) -> SignInReply {
        guard let pending = pending(secret: secret), !pending.isUsed else { return Self.gone }
        let browser: String
        let token: String
        do {
            browser = try request.cookie(pending.site.cookie).flatMap { $0.utf8.count == 43 ? $0 : nil } ?? Nonce.make()
            token = try seal.seal(Array("\(browser) \(secret)".utf8), for: "sign-in form")
        } catch {
            return Self.broken("no random numbers can be had")
        }
        let upstream = pending.demand.upstream
        var page = SignInPage("Sign in to \(upstream)?")
        page.say("An agent of \(pending.caller) asks for access to \(upstream). Whoever signs in on the next page gives them that access.")
        page.list([
            ("Who gets access", pending.caller.description), ("Upstream", "\(upstream), \(pending.demand.address)"),
            ("You sign in at", pending.plan.server.host),
            ("Scopes", pending.wantedScopes.isEmpty ? "what the server gives by default" : pending.wantedScopes.joined(separator: ", ")),
        ])
        page.say(
            "Go on only if that is you, and you asked for it just now. If somebody sent you this link, close the page: they would use your account.")
        page.button("I am \(pending.caller): go on", token: token)
        let lifetime = limits.linkLife.components.seconds
        let secure = pending.site.isTLS ? "; Secure" : ""
        let cookie = "\(pending.site.cookie)=\(browser); Path=/; Max-Age=\(lifetime * 2); HttpOnly; SameSite=Lax\(secure)"
        // Chrome holds a form's redirects to the policy as well, and servers send people on to others.
        let target = "https: " + (HTTPAddress(pending.plan.server.authorizationEndpoint)?.origin ?? "")
        return page.reply(200, formTarget: target, fields: [("Set-Cookie", cookie)])
    }

    /// The person agreed: their browser is sent on, once.
    private func agree(_ secret: String, _ request: SignInRequest) async -> SignInReply {
        guard let pending = pending(secret: secret), !pending.isUsed else { return Self.gone }
        // Another site must not agree in somebody's name (CSRF). Our own form comes as `null`, since it sends no referrer.
        let isOurs = request.origin.map { $0 == "null" || $0 == pending.site.origin } ?? true
        guard isOurs, request.fetchSite.map({ $0 == "same-origin" }) ?? true,
            let browser = request.cookie(pending.site.cookie),
            let form = FormParameters(String(decoding: request.body.prefix(8_192), as: UTF8.self)), let token = form["token"],
            seal.open(token, for: "sign-in form") == Array("\(browser) \(secret)".utf8)
        else {
            return Self.page(
                "This page is out of date", 403, "Your browser did not send what it was given. Allow cookies for this site and open the link again.")
        }
        guard let pending = use(secret: secret) else { return Self.gone }
        do {
            let introduction = ClientIntroduction(
                definition: pending.demand.definition, site: pending.site, upstream: pending.demand.upstream, address: pending.demand.address,
                services: services)
            let client = try await introduction.client(for: pending.plan)
            let id = try client.clientID.resolve(environment: services.environment).reveal()
            let departure = PendingSignIn.Departure(
                state: try Nonce.make(), proof: try ProofKey(), browser: SHA256Digest(of: browser), client: client, site: pending.site)
            depart(secret, departure)
            let location = pending.authorizationRequest(departure, clientID: id)
            return SignInReply(status: 303, isHTML: true, fields: SignInPage.protection() + [("Location", location)], body: [])
        } catch {
            return fail(pending, "\(error)")
        }
    }

    /// Says that it went wrong, and ends it; the cause goes to the log.
    func fail(_ pending: PendingSignIn, _ cause: String) -> SignInReply {
        let id = ErrorID()
        log.warning("\(pending.caller) could not sign in to \(pending.demand.upstream), error id \(id): \(cause)")
        if take(pending) { end(pending) }
        return Self.page(
            "That did not work", 502,
            "\(pending.demand.upstream) gave no access (error id \(id)). Ask your agent for the tool again to get another link.")
    }

    // MARK: - Pages

    static func page(_ title: String, _ status: Int, _ text: String) -> SignInReply {
        var page = SignInPage(title)
        page.say(text)
        return page.reply(status)
    }

    static func broken(_ text: String) -> SignInReply { page("That did not work", 500, text) }
    static var gone: SignInReply {
        page("This link is no longer good", 410, "A link works once and for ten minutes. Ask your agent for the tool again to get another one.")
    }
    static var notFound: SignInReply { page("There is nothing here", 404, "Open the link that your agent was given.") }
    static func wrongMethod(_ allowed: String) -> SignInReply {
        var page = SignInPage("That is not possible")
        page.say("Open the link that your agent was given.")
        return page.reply(405, fields: [("Allow", allowed)])
    }
}

extension PendingSignIn {
    /// What is asked for at the authorization server.
    var wantedScopes: [String] { plan.scopes + demand.scopes.filter { !plan.scopes.contains($0) } }

    /// Where the browser is sent (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1).
    func authorizationRequest(_ departure: Departure, clientID: String) -> String {
        var form = FormBody()
        form.add("response_type", "code")
        form.add("client_id", clientID)
        form.add("redirect_uri", departure.site.redirect)
        form.add("state", departure.state)
        form.add("code_challenge", departure.proof.challenge)
        form.add("code_challenge_method", "S256")
        if !wantedScopes.isEmpty { form.add("scope", wantedScopes.joined(separator: " ")) }
        if let resource = plan.resource { form.add("resource", resource) }
        for parameter in plan.server.parameters { form.add(parameter.name, parameter.value) }
        let endpoint = plan.server.authorizationEndpoint
        return endpoint + (endpoint.contains("?") ? "&" : "?") + String(decoding: form.bytes, as: UTF8.self)
    }
}
