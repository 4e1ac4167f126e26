import Auth
import JSON
import MCPProtocol
import Network
import Transport

/// A permitted call on its way to one upstream, for as long as it takes several requests: all that asking needs.
struct Errand {
    let call: Call
    let upstream: Upstream
    let permit: Permit
    let channel: any ClientChannel
    /// Hands what comes before an answer to the client, in the client's form.
    let onMessage: (Interjection) async -> Void

    /// An answer that is fit for a client; an error of the upstream is one.
    func ask(_ request: UpstreamRequest) async throws(UpstreamError) -> Message {
        let response: Message
        do throws(UpstreamError) {
            response = try await upstream.call(request, permit: permit, cancellation: call.cancellation, onMessage: onMessage)
        } catch {
            await channel.withdraw(nil)
            throw error
        }
        await channel.withdraw(nil)
        if let violation = response.violation() { throw violation }
        return response
    }

    /// Waits; throws where nobody does so any more.
    func pause(_ time: Duration) async throws(UpstreamError) {
        let over = Mailbox<Bool>(capacity: 1)
        call.cancellation.whenCancelled { over.close() }
        _ = await over.next(within: time)
        call.cancellation.whenCancelled(nil)
        if call.cancellation.isCancelled { throw .cancelled }
    }
}

extension Message {
    /// What makes an answer to a request of that method unfit for a client; nil for the method looks at errors only.
    func violation(asAnswerTo method: MCPProtocol.Method? = nil, mayBeTask: Bool = false) -> UpstreamError? {
        if let method, let defect = answerDefect(to: method, mayBeTask: mayBeTask) { return .malformed(defect) }
        guard kind == .error else { return nil }
        if !isWellFormedError { return .violation("its error has no integer code or no message") }
        // That hop is ours: the client's request was right.
        if errorCode == .headerMismatch || errorCode == .unsupportedVersion {
            return .violation("it refuses our request: \(error.map(value)?.text ?? "")")
        }
        return nil
    }
}
