import Auth
import Configuration
import Diagnostics
import Network
import Synchronization
import Transport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `switchboard serve`: the gateway behind HTTP listeners, its configuration watched, until a signal ends it.
package final class HTTPService: Sendable {
    /// The listeners' addresses with the ports that they really have.
    package let addresses: [ListenAddress]
    package let gateway: Gateway
    /// `https` or `http`.
    package let scheme: String
    private let front: HTTPFront
    private let tls: ListenerTLS?
    private let server: HTTPServer
    private let reloader: Reloader
    private let loops: LoopGroup
    private let isStopping = Atomic<Bool>(false)
    private let stopRequested = Mailbox<Bool>(capacity: 1)
    private let log = Log("gateway")
    /// For the last answers, once the upstreams are gone.
    private static let farewellTime = Duration.seconds(3)

    /// Listens at once. Must be called on a loop of the group.
    package init(
        _ settings: Settings, configuration path: String, watch: FileWatch, listen: [ListenAddress]?, environment: [String: String], loops: LoopGroup
    ) throws {
        self.loops = loops
        gateway = Gateway(settings, loops: loops, environment: environment)
        try gateway.openAudit()
        let front = HTTPFront(
            service: gateway, settings: HTTPFrontSettings(settings, listen: listen ?? settings.listen),
            seal: try StateFolder.seal(in: settings.stateFolder), ended: SessionRegister(stateFolder: settings.stateFolder).sessions())
        for address in listen ?? [] {
            if let refusal = settings.refusal(of: address) { throw ConfigurationError(refusal) }
        }
        tls = try settings.tls.map { try ListenerTLS($0, requiresClientCertificate: settings.requiresClientCertificate) }
        scheme = tls == nil ? "http" : "https"
        server = HTTPServer(loops: loops, limits: HTTPLimits(settings.limits), tls: tls?.context) { exchange in await front.handle(exchange) }
        self.front = front
        var addresses = listen ?? settings.listen
        for index in addresses.indices { addresses[index].port = try server.listen(host: addresses[index].host, port: addresses[index].port) }
        self.addresses = addresses
        gateway.listens(on: addresses)
        gateway.takesSignIns(at: addresses, scheme: scheme)
        reloader = Reloader(path: path, environment: environment, gateway: gateway, watch: watch)
    }

    /// Runs until `stop` or SIGTERM or SIGINT; then takes no more connections, lets what runs finish, and ends every upstream.
    package func run() async {
        do {
            let reloader = reloader
            let stopRequested = stopRequested
            try Signals.onSignal([SIGTERM, SIGINT, SIGHUP], loop: loops.loops[0]) { signal in
                if signal == SIGHUP { reloader.reloadSoon() } else { _ = stopRequested.send(true) }
            }
        } catch {
            log.error("can't listen to signals: \(error)")
        }
        gateway.whenIdentityChanges { [front] in front.endLostAccess() }
        if let tls { reloader.alongside { [gateway] in gateway.refresh(tls) } }
        reloader.start(on: loops.loops[0])
        loops.loops[0].task { [self] in await watchAccess() }
        for address in addresses { log.info("listening on \(scheme)://\(address.authority)") }
        _ = await stopRequested.next()
        log.info("stopping")
        isStopping.store(true, ordering: .relaxed)
        reloader.stop()
        server.stopAccepting()
        gateway.changes.end()
        let drained = Mailbox<Bool>(capacity: 1)
        let time = gateway.settings.limits.drainTime
        loops.loops[0].task { [server] in
            await server.drain(within: time + Self.farewellTime)
            _ = drained.send(true)
        }
        // What still runs then loses its upstream, which its caller is told before the connection closes.
        let isDrained = if case .element = await drained.next(within: time) { true } else { false }
        await gateway.stop()
        if !isDrained { _ = await drained.next(within: Self.farewellTime) }
        await gateway.flushAudit()
        log.info("stopped")
    }

    /// Ends what belongs to tokens and keys that have run out, once a second for all of it.
    private func watchAccess() async {
        while (try? await loops.loops[0].sleep(for: .seconds(1))) != nil, !isStopping.load(ordering: .relaxed) { front.endLostAccess() }
    }

    package func stop() { _ = stopRequested.send(true) }
}

extension Gateway {
    /// Takes new files for TLS, if there are any; blocks.
    fileprivate func refresh(_ tls: ListenerTLS) {
        let settings = settings
        guard let files = settings.tls else { return }
        switch tls.refresh(files, requiresClientCertificate: settings.requiresClientCertificate) {
        case nil: break
        case .success: noteTLS(nil)
        case .failure(let error):
            noteTLS(Problem(error.text, at: files.position, fix: "mend the files; the certificate before stays in force"))
        }
    }
}

extension HTTPFrontSettings {
    init(_ settings: Settings, listen: [ListenAddress]) {
        var hosts = Set(listen.filter { !$0.isWildcard }.map(\.host))
        var origins = Set(settings.allowedOrigins.map { $0.lowercased() })
        if let url = settings.publicURL, let (origin, host) = Self.parts(of: url) {
            hosts.insert(host)
            origins.insert(origin)
        }
        self.init(hosts: hosts, origins: origins)
        publicURL = settings.publicURL
        servesAddresses = listen.contains(where: \.isWildcard)
        heartbeat = settings.limits.heartbeat
        sessionTime = settings.limits.sessionTime
        jsonDepthMax = settings.limits.jsonDepthMax
        queuedBytesMax = settings.limits.queuedBytesMax
    }

    /// `https://host:port/path` → (`https://host:port`, `host`), in lower case.
    private static func parts(of url: String) -> (origin: String, host: String)? {
        guard let slashes = url.firstRange(of: "://") else { return nil }
        let authority = url[slashes.upperBound...].prefix { $0 != "/" }.lowercased()
        let host = authority.hasPrefix("[") ? String(authority.dropFirst().prefix { $0 != "]" }) : String(authority.prefix { $0 != ":" })
        return (url[..<slashes.upperBound].lowercased() + authority, host)
    }
}
