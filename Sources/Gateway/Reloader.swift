import Configuration
import Diagnostics
import Dispatch
import Network
import Synchronization

/// Looks at the configuration's files once a second and puts what changed in force, whole or not at all.
package final class Reloader: Sendable {
    private let path: String
    private let environment: [String: String]
    private let gateway: Gateway
    private let queue = DispatchQueue(label: "configuration")
    private let state: Mutex<State>
    private let log = Log("configuration")

    private struct State {
        var isPolling = false
        /// Other work that looks at files, done at every look.
        var alongside: (@Sendable () -> Void)?
        var watch: FileWatch
        var baselines: FileWatch
        var isStopped = false
    }

    /// `watch` was taken before the configuration in force was loaded, so that no change in between is missed.
    init(path: String, environment: [String: String], gateway: Gateway, watch: FileWatch) {
        var watch = watch
        watch.follow(gateway.settings.files)
        self.path = path
        self.environment = environment
        self.gateway = gateway
        state = Mutex(State(watch: watch, baselines: FileWatch([gateway.baselines.file])))
    }

    func start(on loop: EventLoop) {
        loop.task { await self.poll(on: loop) }
        loop.task { await self.keepKeysFresh(on: loop) }
    }

    /// `work` is done, off the loops, at every look at the files, after what changed has come into force.
    func alongside(_ work: @escaping @Sendable () -> Void) { state.withLock { $0.alongside = work } }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Reads everything anew, whether or not a file looks changed.
    package func reloadSoon() {
        gateway.reopenAudit()
        queue.async { self.reload() }
    }

    private func poll(on loop: EventLoop) async {
        // A key that is revoked shall be of no use a second later.
        while (try? await loop.sleep(for: .milliseconds(500))) != nil, !state.withLock({ $0.isStopped }) {
            // A look may take long on a slow disk; they must not pile up.
            guard
                state.withLock({ state in
                    defer { state.isPolling = true }
                    return !state.isPolling
                })
            else { continue }
            queue.async {
                defer { self.state.withLock { $0.isPolling = false } }
                guard !self.state.withLock({ $0.isStopped }) else { return }
                if self.state.withLock({ $0.baselines.hasChanged() }) { self.gateway.reloadBaselines() }
                if self.state.withLock({ $0.watch.hasChanged() }) { self.reload() }
                self.state.withLock { $0.alongside }?()
            }
        }
    }

    /// Apart from the files, for an issuer may be slow to answer.
    private func keepKeysFresh(on loop: EventLoop) async {
        repeat { await gateway.keepKeysFresh() } while (try? await loop.sleep(for: .seconds(1))) != nil && !state.withLock({ $0.isStopped })
    }

    private func reload() {
        switch Settings.load(path: path, environment: environment) {
        case .problems(let problems, let files):
            state.withLock { $0.watch.follow(files) }
            gateway.reject(problems)
            // A revoked key must not wait for a mistake elsewhere to be mended.
            gateway.reloadKeys()
        case .settings(let settings, let warnings):
            state.withLock { $0.watch.follow(settings.files) }
            for problem in warnings + settings.unresolved.values.joined() { log.warning(problem.description) }
            let old = gateway.settings
            do throws(ConfigurationError) {
                gateway.apply(settings, audit: try gateway.freshAudit(for: settings))
            } catch {
                return gateway.reject([error.problem])
            }
            log.info("the configuration was read anew: \(settings.virtualServers.count) virtual servers, \(settings.upstreams.count) upstreams")
            if old.listen.map(\.authority) != settings.listen.map(\.authority) || old.limits != settings.limits
                || old.publicURL != settings.publicURL || (old.tls == nil) != (settings.tls == nil) || old.allowedOrigins != settings.allowedOrigins
                || old.stateFolder != settings.stateFolder
            {
                log.warning(
                    "changes of listen, limits, public_url, allowed_origins and state, and tls where there was none, take effect when the gateway is started again"
                )
            }
        }
    }
}

extension Gateway {
    /// Puts changes of the configuration in force from now on.
    package func watchConfiguration(
        at path: String, environment: [String: String], watch: FileWatch, loop: EventLoop
    ) -> Reloader {
        let reloader = Reloader(path: path, environment: environment, gateway: self, watch: watch)
        reloader.start(on: loop)
        return reloader
    }
}
