import Diagnostics
import MCPProtocol

/// What a legacy upstream asks outside of any call, as it may (MCP 2025-11-25 basic/transports, "Listening for Messages from the Server").
///
/// Who could be asked is for the link's owner to find out.
final class StrayQuestions: Sendable {
    private let open: OpenQuestions
    /// Hands one message to the upstream.
    private let send: @Sendable ([UInt8]) async -> Void

    init(send: @escaping @Sendable ([UInt8]) async -> Void) {
        self.send = send
        open = OpenQuestions(send: send)
    }

    /// Takes a request that is no call's; one that may be one of several calls' is refused, and so is what asks nothing of a client.
    func take(_ request: Message, isAmbiguous: Bool, log: Log, onEvent: (LinkEvent) -> Void) async {
        if !isAmbiguous, request.method?.isQuestion == true {
            if case .question(let asked)? = await open.take(request) { onEvent(.asked(asked)) }
        } else if let reply = Reply(toUpstream: request, isAmbiguous: isAmbiguous, log: log) {
            await send(reply.bytes)
        }
    }

    /// The upstream wants no answer to that any more.
    func withdraw(_ cancellation: Message) { _ = open.withdrawal(cancellation) }
}
