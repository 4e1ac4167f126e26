import Auth
import JSON
import MCPProtocol
import Network
import Synchronization
import Transport

/// Asks a gateway in this process, by the same way as any client.
package struct InProcessClient: Sendable {
    private static let signInsMax = 3
    private let gateway: Gateway
    private let server: String
    private let caller: Caller

    package init(_ gateway: Gateway, server: String, caller: Caller) {
        self.gateway = gateway
        self.server = server
        self.caller = caller
    }

    /// Every page of the list of tools, as the caller sees it.
    package func tools() async throws(ProtocolError) -> [JSONValue] { try await list(.tools) }

    /// Every page of a list, as the caller sees it; empty where the virtual server has none of that kind.
    package func list(_ kind: ListKind) async throws(ProtocolError) -> [JSONValue] {
        guard kind == .tools || gateway.describe(server)?.capabilities[kind.capability] != nil else { return [] }
        var elements: [JSONValue] = []
        var cursor: String?
        repeat {
            let result = try await ask(kind.method.rawValue, cursor.map { ["cursor": .string($0)] } ?? [:])
            elements += result[kind.member.description]?.array ?? []
            cursor = result["nextCursor"]?.string
        } while cursor != nil
        return elements
    }

    /// The result of a call, with `isError` and all. `arguments` is a JSON object.
    package func call(_ tool: String, arguments: JSONValue) async throws(ProtocolError) -> JSONValue {
        try await ask("tools/call", ["name": .string(tool), "arguments": arguments])
    }

    /// The same for a person who can open links: where they have to sign in first, `show` gets the text and the link, and the call is made
    /// again when that is over. Throws where they have not signed in within that time, or `show` says that nobody can see the link.
    package func call(
        _ tool: String, arguments: JSONValue, signingInWithin time: Duration, _ show: @Sendable (_ text: String, _ link: String) -> Bool
    ) async throws(ProtocolError) -> JSONValue {
        let params: JSONValue = ["name": .string(tool), "arguments": arguments]
        for _ in 0..<Self.signInsMax {
            do throws(ProtocolError) {
                return try await ask("tools/call", params, showsSignIns: true)
            } catch {
                guard error.code == .urlElicitationRequired, let wanted = error.data?["elicitations"]?.array?.first,
                    let id = wanted["elicitationId"]?.string,
                    let link = wanted["url"]?.string, let signIns = gateway.signIns, show(wanted["message"]?.string ?? error.message, link)
                else { throw error }
                let over = Mailbox<Bool>(capacity: 1)
                signIns.whenOver(id) { _ = over.send(true) }
                guard case .element = await over.next(within: time) else { throw error }
            }
        }
        return try await ask("tools/call", params)
    }

    private func ask(_ method: String, _ params: JSONValue, showsSignIns: Bool = false) async throws(ProtocolError) -> JSONValue {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        do {
            let message = try Message(scanning: request.bytes)
            let call = Call(
                server: server, caller: caller, message: message, revision: .latestLegacy, clientCapabilities: Array("{}".utf8), logLevel: nil,
                cancellation: Cancellation(), transport: .command, showsSignIns: showsSignIns)
            guard let reply = await gateway.answer(call, to: SilentChannel()) else { throw ProtocolError(.internalError, "cancelled") }
            let answer = try JSONValue(parsing: reply.bytes)
            if let result = answer["result"] { return result }
            let error = answer["error"] ?? .null
            throw ProtocolError(
                ErrorCode(rawValue: error["code"]?.integer ?? ErrorCode.internalError.rawValue), error["message"]?.string ?? "no result",
                data: error["data"])
        } catch let error as ProtocolError {
            throw error
        } catch {
            throw ProtocolError(.internalError, "\(error)")
        }
    }
}
