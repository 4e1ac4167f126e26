import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network

/// One upstream address: sends it requests with the upstream's credential over this loop's pooled connections.
final class HTTPEndpoint: Sendable {
    let url: UpstreamURL
    let limits: UpstreamLimits
    private let credentials: CredentialSource
    private let clients: LoopLocal<HTTPClient>
    private let proxy: HTTPProxy?

    private static let commonFields =
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nUser-Agent: \(Product.name)/\(Product.version)\r\n"

    init(url: UpstreamURL, credentials: CredentialSource, clients: LoopLocal<HTTPClient>, limits: UpstreamLimits) {
        self.url = url
        self.credentials = credentials
        self.clients = clients
        self.limits = limits
        proxy = HTTPProxy.fromEnvironment(for: HTTPOrigin(isTLS: url.isTLS, host: url.host, port: url.port))
    }

    /// Sends a request; the response's head has yet to be awaited.
    func start(
        _ method: HTTPMethod, target: String? = nil, fields: [(String, String)], body: [UInt8], within time: Duration
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let prefix: [UInt8]
        do {
            prefix = Array(Self.commonFields.utf8) + (try credentials.lines())
        } catch {
            throw .unavailable(error.description)
        }
        let request = HTTPClientRequest(
            method: method, origin: HTTPOrigin(isTLS: url.isTLS, host: url.host, port: url.port), target: target ?? url.target,
            fieldsPrefix: prefix, fields: fields, body: body, proxy: proxy)
        do {
            return try await clients.current.start(request, within: time)
        } catch {
            throw .unavailable(error.description)
        }
    }

    /// Sends a request and waits for the head of its response.
    func send(
        _ method: HTTPMethod, target: String? = nil, fields: [(String, String)], body: [UInt8], within time: Duration
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let response = try await start(method, target: target, fields: fields, body: body, within: time)
        do {
            try await response.head(within: time)
        } catch {
            response.cancel()
            throw UpstreamError(error, during: "waiting for its answer")
        }
        return response
    }
}

extension UpstreamError {
    init(_ error: NetworkError, during what: String) {
        switch error.kind {
        case .timedOut: self = .timedOut
        case .tooLarge: self = .violation("its answer is too large: \(error)")
        case .protocolViolation: self = .violation(error.description)
        default: self = .broken("\(what): \(error)")
        }
    }
}

/// One value for each loop, used on that loop only.
final class LoopLocal<Value>: @unchecked Sendable {
    // Sendable although the values are not: each is reached from its own loop's thread alone.
    private let values: [ObjectIdentifier: Value]

    init(_ loops: LoopGroup, make: (EventLoop) -> Value) {
        values = Dictionary(uniqueKeysWithValues: loops.loops.map { (ObjectIdentifier($0), make($0)) })
    }

    var current: Value {
        guard let loop = EventLoop.current, let value = values[ObjectIdentifier(loop)] else { preconditionFailure("not on a loop of this group") }
        return value
    }
}
