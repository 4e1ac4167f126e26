import Auth
import Diagnostics
import JSON
import MCPProtocol
import Network

/// One upstream address: sends it requests with the upstream's credential over this loop's pooled connections.
final class HTTPEndpoint: Sendable {
    let url: UpstreamURL
    let limits: UpstreamLimits
    private let credential: LinkCredential
    private let clients: LoopLocal<HTTPClient>
    private let origin: HTTPOrigin
    private let proxy: HTTPProxy?

    private static let commonFields = Array(
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nUser-Agent: \(Product.name)/\(Product.version)\r\n".utf8)

    /// `environment` may name a proxy (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`).
    init(
        url: UpstreamURL, credential: LinkCredential, clients: LoopLocal<HTTPClient>, environment: [String: String], limits: UpstreamLimits
    ) throws(UpstreamError) {
        self.url = url
        self.credential = credential
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
    ///
    /// What is refused with 401 is sent once more where there is another credential by then: nothing was done.
    func send(
        _ method: HTTPMethod, target: String? = nil, fields: [(String, String)], body: [UInt8], within time: Duration,
        cancellation: Cancellation? = nil
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let lines: [UInt8]
        do {
            lines = try await credential.lines()
        } catch {
            throw .credential(error)
        }
        let response = try await send(method, target, lines, fields, body, within: time, cancellation)
        guard response.status == 401, !lines.isEmpty else { return response }
        let others: [UInt8]?
        do {
            others = try await credential.refused(lines)
        } catch {
            response.cancel()
            throw .credential(error)
        }
        guard let others else { return response }
        response.cancel()
        if cancellation?.isCancelled == true { throw .cancelled }
        let second = try await send(method, target, others, fields, body, within: time, cancellation)
        guard second.status == 401 else { return second }
        do {
            try await credential.refusedAgain(others)
        } catch {
            second.cancel()
            throw .credential(error)
        }
        return second
    }

    private func send(
        _ method: HTTPMethod, _ target: String?, _ lines: [UInt8], _ fields: [(String, String)], _ body: [UInt8], within time: Duration,
        _ cancellation: Cancellation?
    ) async throws(UpstreamError) -> HTTPClientResponse {
        let request = HTTPClientRequest(
            method, origin, target ?? url.target, fieldsPrefix: Self.commonFields + lines, fields: fields, body: body, proxy: proxy)
        var isSent = false
        let response: HTTPClientResponse
        do {
            response = try await clients.current.send(request, within: time) { breakOff in
                isSent = true
                cancellation?.whenCancelled(breakOff)
            }
        } catch {
            if cancellation?.isCancelled == true { throw .cancelled }
            guard isSent else { throw .unavailable(error.description) }
            throw UpstreamError(error, during: "it closed the connection before it answered")
        }
        guard response.status == 403, let scopes = response.headers.scopesWanted else { return response }
        response.cancel()
        throw .insufficientScope(scopes)
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

extension HTTPHeaders {
    /// The scopes that a `WWW-Authenticate: Bearer error="insufficient_scope"` names; nil where there is no such challenge.
    var scopesWanted: [String]? {
        guard let challenge = self["www-authenticate"], challenge.lowercased().hasPrefix("bearer"),
            challenge.contains("insufficient_scope")
        else { return nil }
        guard let start = challenge.firstRange(of: "scope=\"") else { return [] }
        let scopes = challenge[start.upperBound...].prefix { $0 != "\"" }.split(separator: " ").prefix(64)
        return scopes.filter { $0.utf8.count <= 256 && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x5C } }.map(String.init)
    }
}
