import Auth
import MCPProtocol
import Network

/// Serves one virtual server on a pair of descriptors, as Claude or an IDE launches us (MCP basic/transports/stdio).
package final class StdioFront: Sendable {
    private let client: DuplexClient
    private let channel: LineChannel
    private let ended: Mailbox<Bool>

    /// Lines are read as soon as this returns; must be called on `loop`.
    package init(
        service: any CallService, server: String, caller: Caller, input: Int32, output: Int32, loop: EventLoop, lineBytesMax: Int,
        queuedBytesMax: Int, jsonDepthMax: Int
    ) {
        let ended = Mailbox<Bool>(capacity: 1)
        let link = Link()
        let client = DuplexClient(
            service: service, server: server, caller: caller, speaksModern: true, session: "stdio", jsonDepthMax: jsonDepthMax,
            send: { link.send($0.onOneLine()) })
        channel = LineChannel(
            input: input, output: output, loop: loop, lineBytesMax: lineBytesMax, queuedBytesMax: queuedBytesMax,
            onLine: { line in if line.contains(where: { $0 > 0x20 }) { client.receive(line) } },
            onOverlongLine: {
                let error = ProtocolError(.invalidRequest, "Invalid request: a message of more than \(lineBytesMax) bytes")
                link.send(Reply(error, id: [], isIDKnown: false).bytes)
            },
            onEnd: { _ = ended.send(true) })
        link.channel = channel
        self.client = client
        self.ended = ended
    }

    /// Waits for the end of input, then for the answers that are still owed.
    package func run(drainingWithin time: Duration) async {
        _ = await ended.next()
        await client.finishRunning(within: time)
        client.close()
        await channel.drained(within: time)
    }

    /// Ends at once: waits for no more input and cancels what runs, for whoever sends a signal will not wait long.
    package func stop() {
        _ = ended.send(true)
        client.close()
    }
}

/// Lets the client be made before the channel that it writes to; set once, before anything is read.
private final class Link: @unchecked Sendable {
    var channel: LineChannel?
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool { channel?.send(line: bytes) ?? false }
}
