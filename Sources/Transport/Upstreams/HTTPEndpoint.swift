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
    private let origin: HTTPOrigin
    private let proxy: HTTPProxy?

    private static let commonFields = Array(
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nUser-Agent: \(Product.name)/\(Product.version)\r\n".utf8)

    /// `environment` may name a proxy (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`).
    init(
        url: UpstreamURL, credentials: CredentialSource, clients: LoopLocal<HTTPClient>, environment: [String: String], limits: UpstreamLimits
    ) throws(UpstreamError) {
        self.url = url
        self.credentials = credentials
        self.clients = clients
        self.limits = limits
        origin = HTTPOrigin(isTLS: url.isTLS, host: url.host, port: UInt16(clamping: url.port))
        do {
            proxy = try HTTPProxy.fromEnvironment(for: origin, environment)
        } catch {
            throw .unavailable(error.description)
        }
    }

    /// Sends a request and waits for the head of its response. Once it is sent, `cancellation` breaks it off, until another action is set there.
    func send(
        _ method: HTTPMethod, target: String? = nil, fields: [(String, String)], body: [UInt8], within time: Duration,
        cancellation: Cancellation? = nil
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let credential: [UInt8]
        do {
            credential = try credentials.lines()
        } catch {
            throw .unavailable(error.description)
        }
        let request = HTTPClientRequest(
            method, origin, target ?? url.target, fieldsPrefix: Self.commonFields + credential, fields: fields, body: body, proxy: proxy)
        var isSent = false
        do {
            return try await clients.current.send(request, within: time) { breakOff in
                isSent = true
                cancellation?.whenCancelled(breakOff)
            }
        } catch {
            if cancellation?.isCancelled == true { throw .cancelled }
            guard isSent else { throw .unavailable(error.description) }
            throw UpstreamError(error, during: "it closed the connection before it answered")
        }
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
package final class LoopLocal<Value>: @unchecked Sendable {
    // Sendable although the values are not: each is reached from its own loop's thread alone.
    private let values: [ObjectIdentifier: Value]

    package init(_ loops: LoopGroup, make: (EventLoop) -> Value) {
        values = Dictionary(uniqueKeysWithValues: loops.loops.map { (ObjectIdentifier($0), make($0)) })
    }

    /// The value of the loop that this runs on.
    package var current: Value {
        guard let loop = EventLoop.current, let value = values[ObjectIdentifier(loop)] else { preconditionFailure("not on a loop of this group") }
        return value
    }
}
