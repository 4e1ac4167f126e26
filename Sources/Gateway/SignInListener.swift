import Auth
import Diagnostics
import Network
import Synchronization
import Transport

/// Where a browser comes back to a gateway that listens nowhere else: `stdio` and `call`. Open on loopback while somebody signs in.
final class SignInListener: Sendable {
    private static let checkInterval = Duration.seconds(5)
    private let loops: LoopGroup
    private let server = Mutex<HTTPServer?>(nil)
    private let log = Log("sign-in")

    init(loops: LoopGroup) { self.loops = loops }

    /// Opens it where the desk has no address yet; harmless where it is open.
    func open(for desk: SignInDesk) {
        guard desk.site == nil else { return }
        let server = HTTPServer(loops: loops) { exchange in await Self.answer(exchange, desk) }
        let isFirst = self.server.withLock { known in
            guard known == nil else { return false }
            known = server
            return true
        }
        guard isFirst else { return }
        do {
            let port = try server.listen(host: "127.0.0.1", port: 0)
            desk.site = SignInSite(base: "http://127.0.0.1:\(port)")
            loops.next().task { await self.closeWhenIdle(desk) }
        } catch {
            log.error("no address for browsers can be had: \(error)")
            self.server.withLock { $0 = nil }
        }
    }

    private static func answer(_ exchange: HTTPExchange, _ desk: SignInDesk) async {
        let request = exchange.request
        // A page of another site must not reach it by a name of its own (DNS rebinding).
        guard let site = desk.site, "http://" + (request.headers["host"] ?? "") == site.base, request.path.hasPrefix("/oauth/") else {
            return exchange.respond(404, contentType: "text/plain", body: Array("There is nothing here.\n".utf8))
        }
        await exchange.answer(path: String(request.path.dropFirst("/oauth/".utf8.count)), at: desk)
    }

    /// Lets browsers have the pages that are on their way.
    func stop() async {
        await server.withLock { $0 }?.drain(within: .seconds(1))
    }

    private func closeWhenIdle(_ desk: SignInDesk) async {
        guard let loop = EventLoop.current else { return }
        let site = desk.site
        repeat {
            desk.site = site
            repeat { try? await loop.sleep(for: Self.checkInterval) } while !desk.isIdle
            // From here on no link names it; one that was made meanwhile keeps it open.
            desk.site = nil
        } while !desk.isIdle
        let server = server.withLock { server in
            defer { server = nil }
            return server
        }
        await server?.drain(within: .seconds(3))
    }
}
