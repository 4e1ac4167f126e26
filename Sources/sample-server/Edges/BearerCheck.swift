import Network

/// Admits only who brings one token, and can say what calls came with: for showing what a gateway sends.
struct BearerCheck: Sendable {
    /// Nil admits everybody.
    let token: String?
    /// Told of each message that is let in: its method and name, and the `Authorization` that it came with.
    let show: (@Sendable (String) -> Void)?

    /// Whether the request may go on; where not, it has been answered.
    func admits(_ exchange: HTTPExchange) -> Bool {
        let authorization = exchange.request.headers["authorization"]
        guard token.map({ authorization == "Bearer \($0)" }) ?? true else {
            exchange.respond(401, contentType: nil, fields: [("WWW-Authenticate", "Bearer")])
            return false
        }
        if let show, let message = try? Incoming(exchange.request.body), message.method == "tools/call" {
            show("received \(message.name ?? "") with Authorization: \(authorization ?? "(nothing)")\n")
        }
        return true
    }
}
