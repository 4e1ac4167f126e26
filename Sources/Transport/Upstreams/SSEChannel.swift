import Diagnostics
import MCPProtocol
import Network
import Synchronization

/// The HTTP+SSE transport of 2024-11-05 towards an upstream: a GET stream brings messages, POSTs take them
/// (MCP 2024-11-05 basic/transports, "HTTP with SSE").
final class SSEChannel: DuplexChannel {
    private let endpoint: HTTPEndpoint
    private let target: String
    let isClosed: Cancellation

    fileprivate init(endpoint: HTTPEndpoint, target: String, isClosed: Cancellation) {
        self.endpoint = endpoint
        self.target = target
        self.isClosed = isClosed
    }

    func send(_ bytes: [UInt8]) async throws(UpstreamError) {
        let response = try await endpoint.send(.post, target: target, fields: [], body: bytes, within: endpoint.limits.openingTime)
        let body = (try? await response.body(max: 64 * 1024, within: endpoint.limits.probeTime)) ?? []
        guard (200..<300).contains(response.status) else {
            throw .unavailable("it answered a message with \(response.quoted(body))")
        }
    }

    func close() async { isClosed.cancel() }
}

/// Opens links to HTTP+SSE upstreams.
enum SSEOpening {
    static func open(
        _ endpoint: HTTPEndpoint, declaring abilities: ClientAbilities, on loop: EventLoop, log: Log, onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) async throws(UpstreamError) -> DuplexLink {
        let isClosed = Cancellation()
        let response = try await endpoint.send(.get, fields: [], body: [], within: endpoint.limits.openingTime, cancellation: isClosed)
        guard response.status == 200, response.headers.isEventStream else {
            response.cancel()
            throw .unavailable("it answered GET with HTTP \(response.status) and no event stream")
        }
        let pending = PendingCalls()
        let first = Mailbox<String>(capacity: 1)
        let started = Mutex<StrayQuestions?>(nil)
        EventLoop.current?.spawn(with: response) { response in
            let events = SSEStream(response, eventBytesMax: endpoint.limits.replyBytesMax)
            while let event = (try? await events.next(within: .seconds(3_600))) ?? nil {
                if event.event == "endpoint" {
                    _ = first.send(String(decoding: event.data, as: UTF8.self))
                    continue
                }
                do throws(MessageError) {
                    let message = try Message(scanning: event.data, depthMax: endpoint.limits.jsonDepthMax)
                    if pending.route(message) { continue }
                    let stray = started.withLock { $0 }
                    if message.kind == .request { await stray?.take(message, isAmbiguous: pending.isAmbiguous, log: log, onEvent: onEvent) }
                    if message.method == .cancelled { stray?.withdraw(message) }
                    if let event = LinkEvent(message) { onEvent(event) }
                } catch {
                    guard let id = error.id else { continue }
                    pending.fail(id: id, "it sent an event that is no MCP message (\(error.error.message)): \(excerpt(event.data))")
                }
            }
            response.cancel()
            first.close()
            pending.lose("its event stream has ended")
            onEvent(.lost("its event stream has ended"))
        }
        do throws(UpstreamError) {
            guard case .element(let address) = await first.next(within: endpoint.limits.openingTime) else {
                throw UpstreamError.violation("its event stream does not begin with an `endpoint` event")
            }
            let channel = SSEChannel(endpoint: endpoint, target: try target(address, at: endpoint.url), isClosed: isClosed)
            started.withLock { $0 = StrayQuestions { try? await channel.send($0) } }
            let peer = try await StdioOpening.negotiate(
                channel, pending, era: .legacy, declaring: abilities, transport: "sse", limits: endpoint.limits)
            return DuplexLink(peer: peer, channel: channel, pending: pending)
        } catch {
            isClosed.cancel()
            throw error
        }
    }

    /// The path to post to. An address on another origin is refused: it would carry our credential away.
    static func target(_ address: String, at url: UpstreamURL) throws(UpstreamError) -> String {
        if address.hasPrefix("/"), !address.hasPrefix("//") { return address }
        let origin = "\(url.isTLS ? "https" : "http")://\(url.host.contains(":") ? "[\(url.host)]" : url.host)"
        for prefix in [origin + ":\(url.port)", url.port == (url.isTLS ? 443 : 80) ? origin : ""] where !prefix.isEmpty {
            if address.lowercased().hasPrefix(prefix + "/") { return String(address.dropFirst(prefix.count)) }
        }
        guard !address.contains("://"), !address.hasPrefix("//") else {
            throw .violation("its `endpoint` event names another origin, \(address.prefix(200))")
        }
        if address.hasPrefix("?") { return url.target.prefix { $0 != "?" } + address }
        let folder = url.target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return folder + "/" + address
    }
}
