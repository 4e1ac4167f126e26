import Configuration
import Diagnostics
import Network
import Synchronization

/// What the listeners prove themselves with, taken anew when one of its files changes; a broken set leaves the one before in force.
final class ListenerTLS: Sendable {
    let context: TLSServerContext
    private let state: Mutex<State>
    private let log = Log("tls")

    private struct State {
        var settings: TLSSettings
        var isRequired: Bool
        var watch: FileWatch
    }

    /// Reads the files; throws what is wrong with them.
    init(_ settings: TLSSettings, requiresClientCertificate isRequired: Bool) throws(NetworkError) {
        // Before they are read, so that no change in between is missed.
        let watch = FileWatch(settings.files)
        context = try TLSServerContext(
            certificate: settings.certificate, key: settings.privateKey, clientAuthorities: settings.clientCA,
            clientCertificate: isRequired ? .required : .optional)
        state = Mutex(State(settings: settings, isRequired: isRequired, watch: watch))
    }

    /// Takes what the files hold now, if they or their names have changed; blocks. Nil when nothing has.
    func refresh(_ settings: TLSSettings, requiresClientCertificate isRequired: Bool) -> Result<Void, NetworkError>? {
        let hasChanged = state.withLock { state in
            let isOther = state.settings != settings || state.isRequired != isRequired
            if isOther { (state.settings, state.isRequired) = (settings, isRequired) }
            state.watch.follow(settings.files)
            return state.watch.hasChanged() || isOther
        }
        guard hasChanged else { return nil }
        do throws(NetworkError) {
            try context.replace(
                certificate: settings.certificate, key: settings.privateKey, clientAuthorities: settings.clientCA,
                clientCertificate: isRequired ? .required : .optional)
            log.info("the certificate was read anew")
            return .success(())
        } catch {
            log.error("\(error); the certificate before stays in force")
            return .failure(error)
        }
    }
}

extension Settings {
    /// Whether a client certificate is the only way to be let in, so that others need not even finish their handshake.
    var requiresClientCertificate: Bool {
        identity.certificates && identity.keysFile == nil && identity.issuers.isEmpty && !identity.anonymous
    }
}
