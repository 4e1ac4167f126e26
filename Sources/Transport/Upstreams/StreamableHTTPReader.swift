import MCPProtocol
import Network

/// Reads the JSON-RPC messages of one HTTP response, whether it is a JSON body or an event stream.
final class StreamableHTTPReader {
    private let response: HTTPClientResponse
    private let endpoint: HTTPEndpoint
    /// The request whose response is awaited; nil on a stream of notifications.
    private let id: Int?
    /// nil where the response is a JSON body.
    private let events: SSEStream?

    init(response: HTTPClientResponse, endpoint: HTTPEndpoint, id: Int?) {
        self.response = response
        self.endpoint = endpoint
        self.id = id
        events = response.headers.isEventStream ? SSEStream(response, eventBytesMax: endpoint.limits.replyBytesMax) : nil
    }

    /// Where an interrupted stream can be taken up again; nil where its events have no ids.
    var lastEventID: String? { events.flatMap { $0.lastEventID.isEmpty ? nil : $0.lastEventID } }
    /// How long to wait before that.
    var retry: Duration? { events?.retry.map { .milliseconds($0) } }

    func cancel() { response.cancel() }

    /// What makes a wait for the next message end with `.timedOut`, after which one may go on; where it is an event stream.
    var interrupter: (@Sendable () -> Void)? { events == nil ? nil : response.interrupter() }

    /// The next message; a response to another request than ours is passed over.
    func next(within time: Duration) async throws(UpstreamError) -> Message {
        while true {
            let message: Message
            if let events { message = try await next(of: events, within: time) } else { message = try await body(within: time) }
            if message.kind == .notification || message.kind == .request { return message }
            if let id, message.idText == String(id) || (message.kind == .error && message.id == nil) { return message }
            guard events != nil else { throw .violation("it answered another request than ours: \(excerpt(message.bytes))") }
        }
    }

    private func body(within time: Duration) async throws(UpstreamError) -> Message {
        let bytes: [UInt8]
        do {
            bytes = try await response.body(max: endpoint.limits.replyBytesMax, within: time)
        } catch {
            throw UpstreamError(error, during: "its answer broke off")
        }
        if let message = try? Message(scanning: bytes, depthMax: endpoint.limits.jsonDepthMax) { return message }
        switch response.status {
        case 401, 403: throw .refused("it refuses the gateway's credential (HTTP \(response.status))")
        case 200..<300: throw .violation("it answered with something that is no MCP message: \(excerpt(bytes))")
        case 429, 502, 503, 504: throw .refused("it answered with HTTP \(response.status)")
        default: throw .refused("it answered with \(response.quoted(bytes))")
        }
    }

    private func next(of events: SSEStream, within time: Duration) async throws(UpstreamError) -> Message {
        while true {
            let event: SSEEvent?
            do {
                event = try await events.next(within: time)
            } catch {
                throw UpstreamError(error, during: "its stream broke off")
            }
            guard let event else { throw .broken("its stream ended without an answer") }
            guard event.event == "message", !event.data.isEmpty else { continue }
            guard let message = try? Message(scanning: event.data, depthMax: endpoint.limits.jsonDepthMax) else {
                throw .violation("it sent an event that is no MCP message: \(excerpt(event.data))")
            }
            return message
        }
    }
}

extension HTTPHeaders {
    /// Whether the content is `text/event-stream`, whatever parameters follow.
    var isEventStream: Bool { mentions("content-type", "text/event-stream") }
}
