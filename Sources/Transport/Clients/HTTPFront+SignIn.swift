import Auth
import Network

extension HTTPFront {
    /// The pages where users sign in to upstreams. Whoever has a link may open it: its secret is what lets them in.
    func serveSignIn(_ exchange: HTTPExchange, path: String) async {
        guard let desk = service.signIns else { return exchange.respondText(404, "there is nothing here") }
        await exchange.answer(path: path, at: desk)
    }
}

extension HTTPExchange {
    /// Hands the request for `/oauth/` and that path to the desk, and its answer to the browser.
    package func answer(path: String, at desk: SignInDesk) async {
        let request = self.request
        let reply = await desk.answer(
            SignInRequest(
                method: request.method.name, path: path, query: request.query, cookies: request.headers.all(of: "cookie"),
                origin: request.headers["origin"], fetchSite: request.headers["sec-fetch-site"], body: request.body))
        respond(reply.status, contentType: reply.isHTML ? "text/html; charset=utf-8" : "application/json", fields: reply.fields, body: reply.body)
    }
}

extension CallService {
    package var signIns: SignInDesk? { nil }
}
