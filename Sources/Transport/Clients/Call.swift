import Auth
import JSON
import MCPProtocol
import Network

/// A client's request in the inner form: self-contained, whatever era and transport it came by.
///
/// An object, because every step on its way hands it on; it never changes.
package final class Call: Sendable {
    /// The virtual server's name, known to exist when the request came.
    package let server: String
    package let caller: Caller
    package let message: Message
    package let revision: Revision
    /// The client's capabilities, a JSON object.
    package let clientCapabilities: [UInt8]
    /// The least severe log message that the client wants; nil for none.
    package let logLevel: LogLevel?
    package let cancellation: Cancellation
    /// The request's header fields where they must agree with the body (modern HTTP); else nil.
    package let headers: HTTPHeaders?
    package let transport: ClientTransport
    /// The key of the client's session: a legacy one's, or that of a pipe or an HTTP+SSE stream; nil for those that have none.
    package let session: String?
    /// Whether the client shows links to sign in with, whatever upstreams may ask of it.
    private let showsSignIns: Bool

    package init(
        server: String, caller: Caller, message: Message, revision: Revision, clientCapabilities: [UInt8], logLevel: LogLevel?,
        cancellation: Cancellation, headers: HTTPHeaders? = nil, transport: ClientTransport = .http, session: String? = nil,
        showsSignIns: Bool = false
    ) {
        self.server = server
        self.caller = caller
        self.message = message
        self.revision = revision
        self.clientCapabilities = clientCapabilities
        self.logLevel = logLevel
        self.cancellation = cancellation
        self.headers = headers
        self.transport = transport
        self.session = session
        self.showsSignIns = showsSignIns
    }

    /// Another request of the same client, made on its behalf.
    func asking(_ message: Message) -> Call {
        Call(
            server: server, caller: caller, message: message, revision: revision, clientCapabilities: clientCapabilities, logLevel: nil,
            cancellation: cancellation, transport: transport, session: session)
    }

    /// The same, but cancelled with something else.
    func cancelled(by cancellation: Cancellation) -> Call {
        Call(
            server: server, caller: caller, message: message, revision: revision, clientCapabilities: clientCapabilities, logLevel: logLevel,
            cancellation: cancellation, headers: headers, transport: transport, session: session, showsSignIns: showsSignIns)
    }

    /// What an upstream may ask of this client.
    package var abilities: ClientAbilities { ClientAbilities(clientCapabilities, of: revision) }

    /// Whether the person gets a link to sign in with as such, and not as a text.
    package var takesSignInLinks: Bool { showsSignIns || abilities.contains(.links) }

    /// Whose call it is, and who is asked where an upstream asks.
    package var origin: UpstreamRequest.Origin { UpstreamRequest.Origin(caller: caller.identity.key, session: session) }

    package var era: Era { revision.era }
    /// The request's id as it was spelt.
    package var id: ArraySlice<UInt8> { message.id.map { message.bytes[$0.range] } ?? [] }
}

/// The way by which a client reaches the gateway; `command` is the command line itself.
package enum ClientTransport: String, Sendable { case http, sse, stdio, command }

/// Where notifications that belong to a running call go.
package protocol ClientChannel {
    /// `bytes` is one JSON-RPC notification. Waits while the client is slow; drops it when the client can't take one.
    func notify(_ bytes: [UInt8]) async
    /// Whether the client can be asked something during the call. Modern clients can't: for them the call ends with `input_required`.
    var canAsk: Bool { get }
    /// Puts a question to the client. `answer` hears once what it says, on any thread; never, where the question is withdrawn.
    func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) async
    /// Tells the client that nobody waits for the answer to that question any more; nil for all that are open.
    func withdraw(_ key: String?) async
}

extension ClientChannel {
    package var canAsk: Bool { false }

    package func ask(_ question: Question, answer: @escaping @Sendable (Answer) -> Void) async {
        answer(.refusal(.cannotBeAsked(question.method.rawValue)))
    }

    package func withdraw(_ key: String?) async {}
}

/// What stands behind every client transport.
package protocol CallService: Sendable {
    /// The virtual server of that name; for nil the one called `default`, or the only one.
    func server(named name: String?) -> String?
    /// What the virtual server says of itself in `initialize` and `server/discover`; nil when it has gone.
    func describe(_ server: String) -> ServerDescription?
    /// A client opens the virtual server: what it needs is started, and waited for a little, so that what that says of itself is complete.
    func prepare(_ server: String, for caller: Caller, with abilities: ClientAbilities) async
    /// A client's session is over, by its key.
    func sessionEnded(_ session: String)
    /// The roots of the client that says so in `call` have changed.
    func rootsChanged(for call: Call)
    /// Lets the client whose call that is hear of resources that it may read, for as long as it keeps the watches; for each URI, or why it can't.
    /// Upstreams may have yet to agree. Those at the end are left out when the call is cancelled.
    func watch(_ uris: [String], for call: Call) async -> [Result<ResourceWatch, ProtocolError>]
    /// The response to a request; nil when it was cancelled, which is answered with silence.
    func answer(_ call: Call, to channel: any ClientChannel) async -> Reply?
    /// Who is let in now.
    var identity: Identity { get }
    /// Somebody was turned away at the door, `caller` where that is known: `server` is what they asked for, `peer` their address, `reason` is for
    /// the audit only.
    func turnedAway(_ caller: Caller?, from server: String?, peer: String?, transport: ClientTransport, because reason: String)
    /// The state of configuration and upstreams, for `/readyz`.
    func readiness() -> (isReady: Bool, report: JSONValue)
    var changes: ChangeFeed { get }
    /// Where users sign in to upstreams; nil where nobody can.
    var signIns: SignInDesk? { get }
}

extension CallService {
    package func turnedAway(_ caller: Caller?, from server: String?, peer: String?, transport: ClientTransport, because reason: String) {}
    package func prepare(_ server: String, for caller: Caller, with abilities: ClientAbilities) async {}
    package func sessionEnded(_ session: String) {}
    package func rootsChanged(for call: Call) {}

    package func watch(_ uris: [String], for call: Call) async -> [Result<ResourceWatch, ProtocolError>] {
        uris.map { _ in .failure(ProtocolError(.invalidParams, "there are no resources here")) }
    }
}

/// A virtual server as it introduces itself.
package struct ServerDescription: Sendable {
    package var name: String
    package var title: String?
    package var instructions: String?
    /// What it has, as `ServerCapabilities` of the schema.
    package var capabilities: JSONValue

    package init(
        name: String, title: String?, instructions: String?, capabilities: JSONValue = ["tools": ["listChanged": true], "logging": [:]]
    ) {
        self.name = name
        self.title = title
        self.instructions = instructions
        self.capabilities = capabilities
    }
}
