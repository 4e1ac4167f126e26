import Auth
import JSON
import MCPProtocol
import Network

/// A client's request in the inner form: self-contained, whatever era and transport it came by.
package struct Call: Sendable {
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

    package init(
        server: String, caller: Caller, message: Message, revision: Revision, clientCapabilities: [UInt8], logLevel: LogLevel?,
        cancellation: Cancellation, headers: HTTPHeaders? = nil, transport: ClientTransport = .http
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
    }

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
}

/// What stands behind every client transport.
package protocol CallService: Sendable {
    /// The virtual server of that name; for nil the one called `default`, or the only one.
    func server(named name: String?) -> String?
    /// What the virtual server says of itself in `initialize` and `server/discover`; nil when it has gone.
    func describe(_ server: String) -> ServerDescription?
    /// Waits a little for upstreams of the virtual server that are starting, so that what it says of itself is complete.
    func settle(_ server: String, for caller: Caller) async
    /// Lets a client hear of resources that the caller may read, for as long as it keeps the watches; for each URI, or why it can't.
    func watch(
        _ uris: [String], of server: String, for caller: Caller, in era: Era
    ) async -> [Result<ResourceWatch, ProtocolError>]
    /// The response to a request; nil when it was cancelled, which is answered with silence.
    func answer(_ call: Call, to channel: any ClientChannel) async -> Reply?
    /// Who is let in now.
    var identity: Identity { get }
    /// Somebody was turned away at the door: `server` is what they asked for, `peer` their address, `reason` is for the audit only.
    func turnedAway(from server: String?, peer: String?, transport: ClientTransport, because reason: String)
    /// The state of configuration and upstreams, for `/readyz`.
    func readiness() -> (isReady: Bool, report: JSONValue)
    var changes: ChangeFeed { get }
    /// Where users sign in to upstreams; nil where nobody can.
    var signIns: SignInDesk? { get }
}

extension CallService {
    package func settle(_ server: String, for caller: Caller) async {}

    package func watch(
        _ uris: [String], of server: String, for caller: Caller, in era: Era
    ) async -> [Result<ResourceWatch, ProtocolError>] {
        uris.map { _ in .failure(ProtocolError(.invalidParams, "there are no resources here")) }
    }

    package func turnedAway(from server: String?, peer: String?, transport: ClientTransport, because reason: String) {}
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
