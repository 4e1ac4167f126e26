import Auth
import Diagnostics
import MCPProtocol
import Network
import Synchronization

/// The stdio transport towards an upstream: a child, one message a line (MCP basic/transports/stdio).
final class ChildChannel: DuplexChannel {
    private let child: ChildProcess

    private init(child: ChildProcess) { self.child = child }

    /// Starts the child. Calls are routed through `pending`; its stderr goes to the log under the upstream's name.
    static func start(
        _ command: ChildCommand, on loop: EventLoop, limits: UpstreamLimits, pending: PendingCalls, redaction: Redaction, log: Log,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) throws(UpstreamError) -> ChildChannel {
        let started = Mutex<StrayQuestions?>(nil)
        let events = ChildEvents(
            onLine: { line in
                let message: Message
                do throws(MessageError) {
                    message = try Message(scanning: line, depthMax: limits.jsonDepthMax)
                } catch {
                    guard !line.allSatisfy({ $0 <= 0x20 }) else { return }
                    let quoted = redaction.excerpt(excerpt(line))
                    let what = "wrote a line that is no MCP message (\(error.error.message)): \(quoted)"
                    log.warning(what)
                    if let id = error.id { pending.fail(id: id, "it \(what)") } else { pending.noise("it \(what)") }
                    return
                }
                if pending.route(message) { return }
                let stray = started.withLock { $0 }
                if message.kind == .request {
                    EventLoop.current?.task { await stray?.take(message, isAmbiguous: pending.isAmbiguous, log: log, onEvent: onEvent) }
                } else if message.method == .cancelled {
                    stray?.withdraw(message)
                } else if let event = LinkEvent(message) {
                    onEvent(event)
                }
            },
            onLog: { line in log.info(redaction.mask(line)) },
            onExit: { exit in
                let reason = ended(exit)
                pending.lose(reason)
                onEvent(.lost(reason))
            },
            onOverlongLine: {
                let what = "wrote a line longer than \(limits.replyBytesMax) bytes"
                log.warning("\(what); it was dropped")
                pending.fail(id: nil, "it \(what)")
            })
        do {
            let child = try ChildProcess.spawn(
                command, on: loop, lineBytesMax: limits.replyBytesMax, queuedBytesMax: limits.queuedBytesMax, events: events)
            let channel = ChildChannel(child: child)
            started.withLock { $0 = StrayQuestions { try? await channel.send($0) } }
            return channel
        } catch {
            throw .unavailable(error.description)
        }
    }

    func send(_ bytes: [UInt8]) async throws(UpstreamError) {
        guard !child.send(line: bytes.onOneLine()) else { return }
        // Most often because it has just ended, which is the better thing to say.
        if let exit = await child.exit(within: .milliseconds(200)) { throw .unavailable(Self.ended(exit)) }
        throw .unavailable("its input is full or closed")
    }

    private static func ended(_ exit: ChildExit) -> String { "the process has ended: \(exit)" }

    func close() async { await child.terminate(grace: .seconds(2)) }
}

extension [UInt8] {
    /// White space between JSON tokens may be line breaks; inside strings there are none.
    package func onOneLine() -> [UInt8] {
        guard contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return self }
        return map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}
