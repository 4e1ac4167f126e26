import Audit
import Auth
import Diagnostics
import Transport
import VirtualServers

/// The configuration, checked: what gateway.yaml and the files of the virtual servers say.
package struct Settings: Hashable, Sendable {
    /// Never empty; beyond loopback only where callers prove who they are. 127.0.0.1:8080 where nothing is written.
    package var listen: [ListenAddress]
    /// What the listeners prove themselves with; nil where they speak plain HTTP.
    package var tls: TLSSettings?
    /// How clients reach the gateway, without a slash at its end.
    package var publicURL: String?
    /// As browsers spell them, besides loopback and `publicURL`.
    package var allowedOrigins: [String]
    /// What nobody may do, in the order written.
    package var policy: [Prohibition] = []
    /// In the order written.
    package var upstreams: [UpstreamDefinition]
    /// By name.
    package var virtualServers: [VirtualServerDefinition]
    /// From the root; need not exist yet.
    package var stateFolder: String
    /// The keys that tokens at rest are sealed with; nil for a ring of the gateway's own in the state folder.
    package var stateKey: SecretReference?
    package var limits: LimitSettings
    /// Where decisions are recorded; nil for nowhere.
    package var audit: AuditSettings?
    /// Who is let in.
    package var identity = IdentitySettings()
    /// Hosts that addresses found by discovery may name although they are not public, in lower case.
    package var discoveryHosts: [String] = []
    /// Upstreams whose credentials cannot be had now, and why; `serve` starts with them down, `check` counts them as problems.
    package var unresolved: [String: [Problem]]
    /// Every file and folder that was read, from the root, for `FileWatch`.
    package var files: [String]
    /// The files that `${file:…}` names, from the root.
    package var secretFiles: [String]
}

/// What came of loading a configuration.
package enum Loaded: Sendable {
    /// Fit to serve with.
    case settings(Settings, warnings: [Problem])
    /// Every problem at once, by file and line; `files` is what to watch for the fix.
    case problems([Problem], files: [String])

    /// What `check` reports: also the secrets that cannot be had.
    package var problems: [Problem] {
        switch self {
        case .settings(let settings, _): settings.unresolved.values.joined().inFileOrder()
        case .problems(let problems, _): problems
        }
    }

    package var warnings: [Problem] {
        if case .settings(_, let warnings) = self { warnings } else { [] }
    }
}
