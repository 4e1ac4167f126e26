import Auth
import JSON
import MCPProtocol
import Synchronization
import Testing

@testable import Network
@testable import Transport

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func message(_ text: String) throws -> Message { try Message(scanning: bytes(text)) }

/// A request's headers as the server reads them.
func headers(_ fields: [(String, String)]) throws -> HTTPHeaders {
    let lines = fields.map { "\($0.0): \($0.1)\r\n" }.joined()
    let host = fields.contains { $0.0 == "Host" } ? "" : "Host: localhost\r\n"
    return try HTTPRequestHead(parsing: bytes("POST /mcp HTTP/1.1\r\n\(host)\(lines)\r\n")).headers
}

/// Runs a test's body on a loop of its own and hands back what it returns or throws.
func onLoop<Result: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Result) async throws -> Result {
    let loop = EventLoop(name: "test")
    defer { loop.stop() }
    return try await withCheckedThrowingContinuation { continuation in
        loop.task {
            do {
                continuation.resume(returning: try await body(loop))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// A gateway that answers `tools/list` at once and holds `tools/call` until it is cancelled or released.
final class FakeService: CallService {
    let changes = ChangeFeed()
    private let present: Mutex<Identity>
    let calls = Mailbox<Call>(capacity: 4_096)
    private let held = Mutex<[String: Mailbox<Bool>]>([:])

    init(identity: IdentitySettings = IdentitySettings()) { present = Mutex(Self.identity(identity)) }

    var identity: Identity { present.withLock { $0 } }
    func change(_ settings: IdentitySettings) { present.withLock { $0 = Self.identity(settings) } }

    private static func identity(_ settings: IdentitySettings) -> Identity {
        Identity(settings, fetch: { (_) throws(FetchFailure) in throw FetchFailure("no network here") })
    }

    func server(named name: String?) -> String? { name == "team" || name == nil ? "team" : nil }
    func describe(_ server: String) -> ServerDescription? {
        server == "team" ? ServerDescription(name: "team", title: "Team", instructions: "Ask first.") : nil
    }
    func readiness() -> (isReady: Bool, report: JSONValue) {
        (true, ["status": "ready", "configuration": ["state": "current", "problems": []], "upstreams": [:]])
    }

    func answer(_ call: Call, to channel: any ClientChannel) async -> Reply? {
        calls.send(call)
        guard call.message.method == .callTool else {
            await channel.notify(bytes(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#))
            return Reply(result: [], id: call.id, era: call.era)
        }
        let gate = Mailbox<Bool>(capacity: 1)
        held.withLock { $0[call.message.idText ?? ""] = gate }
        call.cancellation.whenCancelled { gate.close() }
        return await gate.next() == nil ? nil : Reply(result: bytes("\"held\":true"), id: call.id, era: call.era)
    }

    func release(_ id: String) { held.withLock { $0[id] }?.send(true) }
}

/// A client on one loop, with what it was sent.
struct Conversation {
    let service = FakeService()
    let client: DuplexClient
    private let outgoing: Mailbox<[UInt8]>

    init(server: String = "team", speaksModern: Bool = true) {
        let outgoing = Mailbox<[UInt8]>(capacity: 4_096)
        self.outgoing = outgoing
        client = DuplexClient(
            service: service, server: server, caller: .localUser("alice"), speaksModern: speaksModern, session: "pipe", send: { outgoing.send($0) })
    }

    func say(_ text: String) { client.receive(bytes(text)) }

    /// A request, legacy or with the metadata of the modern era.
    func ask(_ method: String, id: String, isModern: Bool = false, params: String = "") {
        let meta = #""_meta":{"\#(MetaKey.protocolVersion)":"2026-07-28","\#(MetaKey.clientCapabilities)":{}}"#
        let members = [params, isModern ? meta : ""].filter { !$0.isEmpty }.joined(separator: ",")
        say(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(members)}}"#)
    }

    func initialize(_ version: String = "2025-06-18") {
        ask("initialize", id: "0", params: #""protocolVersion":"\#(version)","capabilities":{"roots":{}},"clientInfo":{}"#)
    }

    /// The next message to the client.
    func next() async throws -> JSONValue {
        guard case .element(let bytes) = await outgoing.next(within: .seconds(10)) else { throw Silence() }
        return try JSONValue(parsing: bytes)
    }

    func nextCall() async throws -> Call {
        guard case .element(let call) = await service.calls.next(within: .seconds(10)) else { throw Silence() }
        return call
    }

    struct Silence: Error {}
}
