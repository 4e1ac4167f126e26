import Auth
import Diagnostics
import MCPProtocol
import Network
import Synchronization

/// Opens links for one upstream after another; remembers for each what probing found out.
package final class UpstreamOpener: Sendable {
    private let environment: [String: String]
    /// What credentials of upstreams are made with.
    package let services: CredentialServices
    /// Credentials that are asked for at the moment.
    private let renewals = BackgroundTasks()
    private let limits: UpstreamLimits
    private let clients: LoopLocal<HTTPClient>
    private let knownEras = Mutex<[UpstreamDefinition: UpstreamDefinition.Era]>([:])

    /// `fetch` is how tokens are asked for, `store` where those of users are kept.
    package init(
        loops: LoopGroup, environment: [String: String], limits: UpstreamLimits,
        fetch: @escaping Fetch = { (_) throws(FetchFailure) in throw FetchFailure("there is no way to ask for it") }, store: TokenStore? = nil
    ) {
        self.environment = environment
        services = CredentialServices(environment: environment, fetch: fetch, store: store) { [renewals] work in
            renewals.start(on: EventLoop.current ?? loops.next(), work)
        }
        self.limits = limits
        var client = HTTPClientLimits()
        client.replyBytesMax = limits.replyBytesMax
        clients = LoopLocal(loops) { [client] in HTTPClient(loop: $0, limits: client, tls: SharedTLS.context) }
    }

    /// Waits for credentials that are asked for at the moment: a refresh token that was used is worth nothing, and the next one must be kept.
    package func finishRenewals(within time: Duration) async {
        guard await !renewals.finished(within: time) else { return }
        Log("gateway").warning("a credential was still being asked for; its user may have to sign in again")
    }

    /// The credentials of an upstream; one source for all of its links.
    func credentials(for definition: UpstreamDefinition) -> CredentialSource {
        CredentialSource(definition.credential, upstream: definition.name, address: definition.endpoint.address ?? "", services: services)
    }

    /// Must run on a loop of the group. A legacy upstream is told that it may ask for what `abilities` says.
    func open(
        _ definition: UpstreamDefinition, as credential: LinkCredential, declaring abilities: ClientAbilities, on loop: EventLoop,
        cancellation: Cancellation, log: Log, onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) async throws(UpstreamError) -> any UpstreamLink {
        let era = definition.era == .automatic ? knownEras.withLock { $0[definition] } ?? .automatic : definition.era
        do throws(UpstreamError) {
            let link = try await open(
                definition, as: credential, era: era, declaring: abilities, on: loop, cancellation: cancellation, log: log, onEvent: onEvent)
            if definition.era == .automatic { knownEras.withLock { $0[definition] = link.peer.era == .modern ? .modern : .legacy } }
            return link
        } catch {
            // What was remembered may no longer be true: the next attempt probes anew.
            if definition.era == .automatic, !error.isOfCredential { knownEras.withLock { $0[definition] = nil } }
            throw error
        }
    }

    private func open(
        _ definition: UpstreamDefinition, as credential: LinkCredential, era: UpstreamDefinition.Era, declaring abilities: ClientAbilities,
        on loop: EventLoop, cancellation: Cancellation, log: Log, onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) async throws(UpstreamError) -> any UpstreamLink {
        switch definition.endpoint {
        case .command(let executable, let arguments, let variables, let directory):
            let command = ChildCommand(
                executable: executable, arguments: arguments, environment: try childEnvironment(variables), directory: directory)
            return try await StdioOpening.open(
                command, era: era, declaring: abilities, on: loop, limits: limits, redaction: environmentRedaction(for: definition),
                cancellation: cancellation, log: log, onEvent: onEvent)
        case .url(let url, let transport):
            let endpoint = try HTTPEndpoint(
                url: url, credential: credential, clients: clients, environment: environment, limits: limits)
            return try await StreamableHTTPOpening.open(
                endpoint, transport: transport, era: era, declaring: abilities, on: loop, cancellation: cancellation, log: log, onEvent: onEvent)
        }
    }

    /// Masks the secrets that a child gets in its environment now.
    func environmentRedaction(for definition: UpstreamDefinition) -> Redaction {
        guard case .command(_, _, let variables, _) = definition.endpoint else { return Redaction() }
        return Redaction(variables.map(\.value).filter(\.isSecret).compactMap { try? $0.resolve(environment: environment) })
    }

    /// What a child needs to find its home, its programs, its language and its way to the network, and what `env:` gives it.
    ///
    /// Not the whole of the gateway's environment: that holds other upstreams' secrets.
    private func childEnvironment(_ variables: [UpstreamDefinition.EnvironmentVariable]) throws(UpstreamError) -> [(String, String)] {
        var merged = environment.filter { Self.inherited.contains($0.key.uppercased()) || $0.key.hasPrefix("LC_") || $0.key.hasPrefix("XDG_") }
        for variable in variables {
            do {
                merged[variable.name] = try variable.value.resolve(environment: environment).reveal()
            } catch {
                throw .unavailable(error.description)
            }
        }
        return merged.map { ($0.key, $0.value) }
    }

    private static let inherited: Set<String> = [
        "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PYENV_ROOT", "NVM_DIR", "DISPLAY", "SSH_AUTH_SOCK",
    ]
}

/// The system's trust store, loaded once when first needed.
package enum SharedTLS {
    private static let loaded = Mutex<TLSClientContext?>(nil)

    package static let context: @Sendable () throws(NetworkError) -> TLSClientContext = { () throws(NetworkError) in
        if let known = loaded.withLock({ $0 }) { return known }
        let context = try TLSClientContext()
        loaded.withLock { $0 = context }
        return context
    }
}
