import JSON
import Network
import Synchronization

/// One client of a duplex transport, stdio or HTTP+SSE: messages come in by `receive`, go out by `send`.
final class Conversation: Sendable {
    private let server: SampleServer
    private let loop: EventLoop
    private let running = RunningCalls()
    private let isInitialized = Mutex(false)
    private let send: @Sendable ([UInt8]) -> Void

    init(_ server: SampleServer, on loop: EventLoop, send: @escaping @Sendable ([UInt8]) -> Void) {
        self.server = server
        self.loop = loop
        self.send = send
    }

    /// Takes a message or a batch; on the loop.
    func receive(_ bytes: [UInt8]) {
        do throws(Fault) {
            guard bytes.first == UInt8(ascii: "["), let batch = try Batch.messages(in: bytes) else { return take(try Incoming(bytes), answer: send) }
            var answers: [[UInt8]] = []
            for part in batch { take(try Incoming(part)) { answers.append($0) } }
            if !answers.isEmpty { send(Batch.joined(answers)) }
        } catch {
            send(Reply.fault(error, to: nil))
        }
    }

    func end() { running.cancelAll() }

    /// Answers at once through `answer`, what takes its time through `send`.
    private func take(_ message: Incoming, answer: ([UInt8]) -> Void) {
        if message.method == "notifications/cancelled", let id = message.cancelledID { return running.cancel(message.text(id)) }
        guard message.isRequest else { return }
        do throws(Fault) {
            let era = try era(of: message)
            switch server.answer(message, era) {
            case .result(let result): answer(Reply.result(result, to: message))
            case .fault(let fault): answer(Reply.fault(fault, to: message))
            case .slow(let tool, let arguments): start(tool, arguments, for: message, era)
            }
        } catch {
            answer(Reply.fault(error, to: message))
        }
    }

    /// An `initialize` selects the legacy era for the process; modern requests carry their own (MCP 2026-07-28 basic/versioning).
    private func era(of message: Incoming) throws(Fault) -> Era {
        if server.eras.speaksModern, message.isModern || !server.eras.speaksLegacy || message.method == "server/discover" {
            try ModernCheck.body(of: message, supported: server.eras.revisions)
            return .modern
        }
        if message.method == "initialize" {
            isInitialized.withLock { $0 = true }
        } else if message.method != "ping", message.method != "server/discover", !isInitialized.withLock({ $0 }) {
            throw .invalidRequest("Send “initialize” first.")
        }
        return .legacy
    }

    private func start(_ tool: Tool, _ arguments: Arguments, for message: Incoming, _ era: Era) {
        let id = message.idText
        // Both sides of the task run on the loop, so it cannot end before it is entered here.
        let task = loop.task { [self] in
            let result = await server.finish(tool, arguments, era) { progress in
                if !Task.isCancelled, let bytes = Reply.progress(progress, of: message) { send(bytes) }
            }
            if running.end(id) { send(Reply.result(result, to: message)) }
        }
        running.begin(id, task)
    }
}
