import JSON
import Synchronization

@testable import Auth

/// An issuer that answers discovery and key requests from memory, and a clock that stands still until it is moved.
final class FakeIssuer: Sendable {
    struct State {
        var keys: [JSONValue] = [SigningKey.rsa.jwk()]
        var metadata: JSONValue = ["issuer": .string(TokenDraft.issuer), "jwks_uri": "https://login.example.com/keys"]
        var metadataAt = "https://login.example.com/.well-known/oauth-authorization-server/realms/acme"
        var fields: [(name: String, value: String)] = []
        var isDown = false
        var asked: [String] = []
        var sources: [String] = []
        var now = TokenDraft.now
        /// Waits at the door before it answers about keys.
        var gate: [CheckedContinuation<Void, Never>]?
    }

    let state: Mutex<State>

    init(_ keys: [JSONValue] = [SigningKey.rsa.jwk()]) {
        var state = State()
        state.keys = keys
        self.state = Mutex(state)
    }

    func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
    func pass(_ seconds: Int) { state.withLock { $0.now += seconds } }
    var asked: [String] { state.withLock { $0.asked } }
    /// How often its keys were asked for.
    var keyRequests: Int { asked.count { $0.hasSuffix("/keys") } }

    var clock: @Sendable () -> Int { { self.state.withLock { $0.now } } }

    var fetch: Fetch {
        { (request) throws(FetchFailure) in
            let (answer, waits) = self.state.withLock { state -> (FetchResponse?, Bool) in
                state.asked.append(request.url)
                state.sources.append("\(request.source) \(request.url)")
                guard !state.isDown else { return (nil, false) }
                if request.url == state.metadata["jwks_uri"]?.string || request.url.hasSuffix("/keys") {
                    let body = JSONValue.object([.init("keys", .array(state.keys))]).text
                    return (FetchResponse(status: 200, fields: state.fields, body: Array(body.utf8)), state.gate != nil)
                }
                guard request.url == state.metadataAt else { return (FetchResponse(status: 404, fields: [], body: []), false) }
                return (FetchResponse(status: 200, fields: [], body: Array(state.metadata.text.utf8)), false)
            }
            if waits {
                await withCheckedContinuation { waiter in self.state.withLock { $0.gate?.append(waiter) } }
            }
            guard let answer else { throw FetchFailure("connection refused") }
            return answer
        }
    }

    /// Lets those in who wait, once `count` do.
    func open(after count: Int) async {
        while state.withLock({ $0.gate?.count ?? 0 }) < count { await Task.yield() }
        let waiters = state.withLock { state in
            defer { state.gate = nil }
            return state.gate ?? []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// What recognises this issuer's tokens.
    func identity(
        _ algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases, claims: ClaimNames = ClaimNames(), jwksURL: String? = nil,
        audiences: [String] = ["https://mcp.example.com", "switchboard"], succeeding old: Identity? = nil
    ) -> Identity {
        let issuer = IssuerSettings(
            issuer: TokenDraft.issuer, audiences: audiences, jwksURL: jwksURL, algorithms: algorithms, claims: claims
        )
        return Identity(IdentitySettings(issuers: [issuer]), fetch: fetch, succeeding: old, clock: clock)
    }
}

extension Identity {
    func identify(token: String) async throws(IdentityRefusal) -> Caller { try await identify(Presented(authorization: "Bearer \(token)")) }
    func remembered(token: String) -> Caller? { remembered(Presented(authorization: "Bearer \(token)")) }

    /// Why `token` is refused; nil where it is not.
    func refusal(of token: String) async -> IdentityRefusal? {
        do throws(IdentityRefusal) {
            _ = try await identify(token: token)
            return nil
        } catch {
            return error
        }
    }
}
