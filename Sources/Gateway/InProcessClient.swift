import Auth
import JSON
import MCPProtocol
import Synchronization
import Transport

/// Asks a gateway in this process, by the same way as any client.
package struct InProcessClient: Sendable {
    private let gateway: Gateway
    private let server: String
    private let caller: Caller

    package init(_ gateway: Gateway, server: String, caller: Caller) {
        self.gateway = gateway
        self.server = server
        self.caller = caller
    }

    /// Every page of the list, as the caller sees it.
    package func tools() async throws(ProtocolError) -> [JSONValue] {
        var tools: [JSONValue] = []
        var cursor: String?
        repeat {
            let result = try await ask("tools/list", cursor.map { ["cursor": .string($0)] } ?? [:])
            tools += result["tools"]?.array ?? []
            cursor = result["nextCursor"]?.string
        } while cursor != nil
        return tools
    }

    /// The result of a call, with `isError` and all. `arguments` is a JSON object.
    package func call(_ tool: String, arguments: JSONValue) async throws(ProtocolError) -> JSONValue {
        try await ask("tools/call", ["name": .string(tool), "arguments": arguments])
    }

    private func ask(_ method: String, _ params: JSONValue) async throws(ProtocolError) -> JSONValue {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        do {
            let message = try Message(scanning: request.bytes)
            let call = Call(
                server: server, caller: caller, message: message, revision: .latestLegacy, clientCapabilities: Array("{}".utf8), logLevel: nil,
                cancellation: Cancellation(), transport: .command)
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
