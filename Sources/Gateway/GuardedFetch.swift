import Auth
import Configuration
import MCPProtocol
import Network
import Synchronization
import Transport

/// How Auth reaches HTTP: https only, save on this machine; an address that another server named leads to the internet or not at all.
///
/// May be called on any loop and elsewhere; goes on, to its end, when the caller is cancelled.
package final class GuardedFetch: Sendable {
    /// What the configuration allows of what discovery finds.
    package struct Rules: Hashable, Sendable {
        /// Hosts that may lie in a private network, in lower case.
        package var allowedHosts: Set<String>
        /// Whether this machine may be reached: in development, where the gateway itself listens on loopback only.
        package var allowsLoopback: Bool

        package init(allowedHosts: Set<String> = [], allowsLoopback: Bool = false) {
            self.allowedHosts = allowedHosts
            self.allowsLoopback = allowsLoopback
        }
    }

    private static let redirectsMax = 3
    private static let userAgent = "\(Product.name)/\(Product.version)"
    private let loops: LoopGroup
    private let environment: [String: String]
    private let clients: LoopLocal<[FetchReach: HTTPClient]>
    private let isExposed = Atomic<Bool>(false)

    /// `environment` may name a proxy. Behind one it is the proxy that looks names up, and it must guard its own network.
    package init(loops: LoopGroup, environment: [String: String]) {
        self.loops = loops
        self.environment = environment
        clients = LoopLocal(loops) { loop in
            Dictionary(
                uniqueKeysWithValues: FetchReach.allCases.map { reach in
                    (reach, HTTPClient(loop: loop, mayConnect: { reach.includes($0) }, tls: SharedTLS.context))
                })
        }
    }

    /// From now on this machine is not reached for others, whatever the rules say: others reach the gateway.
    package func expose() { isExposed.store(true, ordering: .relaxed) }

    /// The function that Auth is handed, under these rules.
    package func function(_ rules: Rules) -> Fetch {
        { [self] request throws(FetchFailure) in
            var rules = rules
            if isExposed.load(ordering: .relaxed) { rules.allowsLoopback = false }
            let loop = loops.loops.first { $0.isCurrent } ?? loops.loops[0]
            let outcome: Result<FetchResponse, FetchFailure> = await withUnsafeContinuation { continuation in
                loop.task { [self, rules] in
                    do throws(FetchFailure) {
                        continuation.resume(returning: .success(try await send(request, rules, on: loop)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
            return try outcome.get()
        }
    }

    private func send(_ request: FetchRequest, _ rules: Rules, on loop: EventLoop) async throws(FetchFailure) -> FetchResponse {
        let deadline = loop.now.advanced(by: request.time)
        var target = try FetchTarget(request.url)
        for _ in 0...Self.redirectsMax {
            let response = try await send(request, to: target, within: loop.now.duration(to: deadline), rules)
            guard (300..<400).contains(response.status), response.status != 304 else { return response }
            // A POST carries codes and secrets: it goes where it was meant to and nowhere else.
            guard request.method == "GET" else { throw FetchFailure("\(target) wants to send a \(request.method) elsewhere") }
            guard let place = response.fields.first(where: { $0.name == "location" })?.value, let next = target.redirected(to: place) else {
                throw FetchFailure("\(target) redirects to another host")
            }
            target = next
        }
        throw FetchFailure("\(target) redirects without end")
    }

    private func send(
        _ request: FetchRequest, to target: FetchTarget, within time: Duration, _ rules: Rules
    ) async throws(FetchFailure) -> FetchResponse {
        do throws(NetworkError) {
            let origin = target.origin
            let proxy = try HTTPProxy.fromEnvironment(for: origin, environment)
            let reach = try target.reach(request.source, rules, isProxied: proxy != nil)
            guard let client = clients.current[reach] else { throw NetworkError(.overloaded, "there is no client") }
            let start = ContinuousClock.now
            let message = HTTPClientRequest(
                HTTPMethod(request.method), origin, target.target,
                fields: [("User-Agent", Self.userAgent)] + request.fields.map { ($0.name, $0.value) },
                body: request.body, proxy: proxy)
            let response = try await client.send(message, within: time)
            let body = try await response.body(max: request.bytesMax, within: time - start.duration(to: .now))
            var fields: [(name: String, value: String)] = []
            response.headers.forEach { fields.append(($0.lowercased(), $1)) }
            return FetchResponse(status: response.status, fields: fields, body: body)
        } catch {
            throw FetchFailure("\(target): \(error)")
        }
    }
}
