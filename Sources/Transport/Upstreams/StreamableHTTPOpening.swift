import Diagnostics
import JSON
import MCPProtocol
import Network

/// Opens links to upstreams behind an address, finding out transport and era as the specification says
/// (MCP 2026-07-28 basic/transports/streamable-http, "Backward Compatibility").
enum StreamableHTTPOpening {
    static func open(
        _ endpoint: HTTPEndpoint, transport: UpstreamDefinition.HTTPTransport, era: UpstreamDefinition.Era,
        declaring abilities: ClientAbilities, on loop: EventLoop, cancellation: Cancellation, log: Log,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) async throws(UpstreamError) -> any UpstreamLink {
        if transport == .sse { return try await SSEOpening.open(endpoint, declaring: abilities, on: loop, log: log, onEvent: onEvent) }
        let probe = era == .modern ? endpoint.limits.openingTime : endpoint.limits.probeTime
        if era != .legacy {
            var opening = try await discover(endpoint, within: probe, cancellation)
            if case .again = opening { opening = try await discover(endpoint, within: probe, cancellation) }
            if case .modern(let peer) = opening {
                return started(StreamableHTTPLink(peer: peer, session: nil, declaring: [], endpoint: endpoint, log: log, onEvent: onEvent), on: loop)
            }
        }
        guard era != .modern else { throw .violation("it does not speak revision \(Revision.latestModern.rawValue)") }
        do {
            let (peer, session) = try await initialize(endpoint, declaring: abilities, cancellation)
            let link = StreamableHTTPLink(
                peer: peer, session: session, declaring: abilities, endpoint: endpoint, log: log, onEvent: onEvent)
            await link.notify(HandshakeNotification.initialized)
            return started(link, on: loop)
        } catch {
            guard transport == .automatic, case .notStreamable(let reason) = error else { throw error.upstreamError }
            do {
                return try await SSEOpening.open(endpoint, declaring: abilities, on: loop, log: log, onEvent: onEvent)
            } catch {
                throw .unavailable("\(reason); as an HTTP+SSE server: \(error)")
            }
        }
    }

    private static func started(_ link: StreamableHTTPLink, on loop: EventLoop) -> StreamableHTTPLink {
        loop.task { await link.listen() }
        return link
    }

    private static func discover(
        _ endpoint: HTTPEndpoint, within time: Duration, _ cancellation: Cancellation
    ) async throws(UpstreamError) -> Opening {
        let request = UpstreamRequest.discover
        let fields = [("MCP-Protocol-Version", Revision.latestModern.rawValue), ("Mcp-Method", request.method)]
        let response: HTTPClientResponse
        do {
            response = try await endpoint.send(
                .post, fields: fields, body: request.bytes(id: 1, era: .modern), within: time, cancellation: cancellation)
        } catch {
            // Silence means legacy, as it does on stdio.
            guard case .timedOut = error else { throw error }
            return .notModern
        }
        if [502, 503, 504].contains(response.status) {
            response.cancel()
            throw .unavailable("it answered with HTTP \(response.status)")
        }
        defer { response.cancel() }
        let message: Message
        do throws(UpstreamError) {
            message = try await StreamableHTTPReader(response: response, endpoint: endpoint, id: 1).next(within: time)
        } catch {
            switch error {
            case .refused where response.status == 401 || response.status == 403: throw error
            case .broken: throw error
            default: return .notModern
            }
        }
        let opening = try Opening(message, transport: "streamable-http")
        if case .notModern = opening, message.isModernError, message.errorValue?["code"]?.integer != ErrorCode.unsupportedVersion.rawValue {
            throw .violation("it refuses our `server/discover`: \(excerpt(message.bytes))")
        }
        return opening
    }

    /// The legacy handshake's request; the peer and, where it has sessions, the session's id.
    static func initialize(
        _ endpoint: HTTPEndpoint, declaring abilities: ClientAbilities, _ cancellation: Cancellation? = nil
    ) async throws(LegacyFailure) -> (UpstreamPeer, String?) {
        let limits = endpoint.limits
        do {
            let response = try await endpoint.send(
                .post, fields: [], body: UpstreamRequest.initialize(declaring: abilities).bytes(id: 1, era: .legacy),
                within: limits.openingTime, cancellation: cancellation)
            defer { response.cancel() }
            let session = response.headers["mcp-session-id"]
            if [400, 404, 405].contains(response.status) {
                let body = (try? await response.body(max: 64 * 1024, within: limits.probeTime)) ?? []
                throw LegacyFailure.notStreamable("it answered `initialize` with \(response.quoted(body))")
            }
            let message = try await StreamableHTTPReader(response: response, endpoint: endpoint, id: 1).next(within: limits.openingTime)
            guard let result = message.resultValue else {
                throw UpstreamError.violation("it refused `initialize`: \(excerpt(message.bytes))")
            }
            return (try UpstreamPeer(initialized: result, transport: "streamable-http"), session)
        } catch let failure as LegacyFailure {
            throw failure
        } catch let error as UpstreamError {
            throw .upstream(error)
        } catch {
            throw .upstream(.violation("\(error)"))
        }
    }

    enum LegacyFailure: Error {
        /// Perhaps an HTTP+SSE server.
        case notStreamable(String)
        case upstream(UpstreamError)

        var upstreamError: UpstreamError {
            switch self {
            case .notStreamable(let text): .violation(text)
            case .upstream(let error): error
            }
        }
    }
}
