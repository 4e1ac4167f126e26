import Auth
import Diagnostics

/// An upstream as written under `upstreams:` in gateway.yaml.
package struct UpstreamDefinition: Hashable, Sendable {
    package enum Endpoint: Hashable, Sendable {
        /// A child that speaks MCP on its standard streams. `command` is looked up in PATH; the child runs in `directory`
        /// (the folder of gateway.yaml) with `environment` and the few variables that every program needs, not the gateway's own.
        case command(String, arguments: [String], environment: [EnvironmentVariable], directory: String)
        case url(UpstreamURL, HTTPTransport)
    }

    package struct EnvironmentVariable: Hashable, Sendable {
        package var name: String
        package var value: SecretReference

        package init(name: String, value: SecretReference) {
            self.name = name
            self.value = value
        }
    }

    /// `transport:`; `.automatic` is found out by probing.
    package enum HTTPTransport: Hashable, Sendable { case automatic, streamableHTTP, sse }

    /// `era:`; `.automatic` is found out by probing.
    package enum Era: Hashable, Sendable { case automatic, legacy, modern }

    /// `catalog:`; whether callers with different credentials see different tools.
    package enum Catalog: Hashable, Sendable { case perCredential, shared }

    /// `instances:`; which callers may share one where the credential lets them.
    package enum Instances: Hashable, Sendable { case shared, perUser, perSession }

    /// `[a-z0-9_-]{1,32}`.
    package var name: String
    package var endpoint: Endpoint
    package var era: Era
    package var credential: CredentialDefinition
    package var catalog: Catalog
    package var instances: Instances
    /// A call's limit, counted anew on progress.
    package var timeout: Duration
    package var position: SourcePosition

    package init(
        name: String, endpoint: Endpoint, era: Era = .automatic, credential: CredentialDefinition = .none, catalog: Catalog = .perCredential,
        instances: Instances = .shared, timeout: Duration, position: SourcePosition
    ) {
        self.name = name
        self.endpoint = endpoint
        self.era = era
        self.credential = credential
        self.catalog = catalog
        self.instances = instances
        self.timeout = timeout
        self.position = position
    }
}

/// An `http` or `https` address, taken apart (RFC 3986 §3); no user information, no fragment.
package struct UpstreamURL: Hashable, Sendable {
    package var isTLS: Bool
    /// A name or address, IPv6 without brackets, in lower case.
    package var host: String
    package var port: Int
    /// Path and query, starting with `/`.
    package var target: String

    package init(isTLS: Bool, host: String, port: Int, target: String) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.target = target
    }

    /// Whether it leads to this machine for sure; a name such as `127.evil.example` does not.
    package var isLoopback: Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        let isAddress = numbers.count == 4 && numbers.allSatisfy { !$0.hasPrefix("+") && UInt8($0) != nil }
        return host == "localhost" || host == "::1" || isAddress && numbers.first == "127"
    }
}
