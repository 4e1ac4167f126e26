import Network

/// Our own standard input and output.
enum Input {
    private static let lineBytesMax = 4 * 1024 * 1024
    private static let queuedBytesMax = 64 * 1024 * 1024

    /// Serves the one client on standard input and output; calls when it has hung up and all is written.
    static func serve(_ server: SampleServer, on loop: EventLoop, onEnd: @escaping @Sendable () -> Void) {
        // On the loop, where the channel's first line cannot come before the outbox is open.
        loop.execute {
            let outbox = Outbox()
            let conversation = Conversation(server, on: loop) { outbox.send($0) }
            let channel = LineChannel(
                input: 0, output: 1, loop: loop, lineBytesMax: lineBytesMax, queuedBytesMax: queuedBytesMax,
                onLine: { conversation.receive($0) },
                onOverlongLine: { outbox.send(Reply.fault(.invalidRequest("This message is too long."), to: nil)) },
                onEnd: {
                    conversation.end()
                    loop.task {
                        await outbox.drain()
                        onEnd()
                    }
                })
            outbox.open(channel)
        }
    }

    /// Calls when standard input ends.
    static func watch(on loop: EventLoop, onEnd: @escaping @Sendable () -> Void) -> LineChannel {
        LineChannel(input: 0, output: 2, loop: loop, lineBytesMax: 1024, queuedBytesMax: 0, onLine: { _ in }, onEnd: onEnd)
    }
}
