import Auth
import Diagnostics
import Transport
import VirtualServers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Settings {
    /// Reads gateway.yaml at `path` and the files of the virtual servers, blocking, and checks all of it.
    ///
    /// Messages name files as `path` does. A relative `path` starts from `workingDirectory`, or from where this program runs.
    package static func load(path: String, environment: [String: String], workingDirectory: String? = nil) -> Loaded {
        let file = NamedPath(path, in: workingDirectory ?? currentDirectory())
        var reader = GatewayReader(file: file, environment: environment)
        return reader.load()
    }
}

/// Reads gateway.yaml and what it leads to.
struct GatewayReader {
    let file: NamedPath
    let environment: [String: String]
    private var findings = Findings()
    private var files: [String]

    init(file: NamedPath, environment: [String: String]) {
        self.file = file
        self.environment = environment
        files = [file.absolute]
    }

    private var start: SourcePosition { SourcePosition(file: file.shown, line: 1, column: 1) }

    mutating func load() -> Loaded {
        guard let bytes = read(file), let section = section(bytes) else { return .problems(findings.problems.inFileOrder(), files: files) }
        let limits = readLimits(section["limits"], &findings)
        let listen = listen(section["listen"])
        let publicURL = section["public_url"].flatMap { Configuration.publicURL($0, &findings) }
        let allowedOrigins = section["allowed_origins"].map { origins($0, &findings) } ?? []
        let tls = section["tls"].flatMap { TLSReader(folder: file.folder, now: time(nil)).read($0, &findings) }
        var identity = IdentityReader(folder: file.folder).read(section["identity"], &files, &findings)
        identity.certificates = tls?.clientCA != nil
        if identity.anonymousAsWritten == false, !identity.isConfigured, tls != nil || section["tls"] == nil {
            findings.add(
                "nobody would be let in: `anonymous` is false, and callers have no way to say who they are",
                at: section.position(of: "identity"), fix: "write `keys_file: keys.yaml` or `issuers`, or remove `anonymous`")
        }
        let rule = ListenRule(identity: identity, isTLS: section["tls"] != nil, publicURL: publicURL)
        findings.add(listen.compactMap(rule.refusal))
        findings.warn(listen.compactMap(rule.warning))
        let discoveryHosts = Configuration.discoveryHosts(section["discovery"], &findings)
        let (upstreams, known) = upstreams(section, limits)
        let policy = section["policy"].map { PolicyReader(upstreams: known).read($0, &findings) } ?? []
        let virtualServers = virtualServers(section, known)
        let state = stateFolder(section["state"])
        let audit = section["audit"].flatMap { AuditReader(folder: file.folder).read($0, &findings) }
        let secrets = SecretCheck(environment: environment)
        let stateKey = section["state_key"].flatMap {
            SecretReferenceReader(folder: file.folder).readSecret($0, "state_key", variable: "SWITCHBOARD_STATE_KEY", &findings)
        }
        if let stateKey { findings.add(secrets.problems(ofKeyRing: stateKey)) }
        var unresolved: [String: [Problem]] = [:]
        for upstream in upstreams {
            let problems = secrets.problems(of: upstream) + callerProblems(of: upstream, identity)
            if !problems.isEmpty { unresolved[upstream.name] = problems }
        }
        guard findings.problems.isEmpty, let state else {
            return .problems((findings.problems + unresolved.values.joined()).inFileOrder(), files: files)
        }
        let settings = Settings(
            listen: listen, tls: tls, publicURL: publicURL, allowedOrigins: allowedOrigins, policy: policy, upstreams: upstreams,
            virtualServers: virtualServers, stateFolder: state, stateKey: stateKey, limits: limits, audit: audit, identity: identity,
            discoveryHosts: discoveryHosts, unresolved: unresolved, files: files, secretFiles: SecretCheck.files(of: upstreams))
        return .settings(settings, warnings: findings.warnings.inFileOrder())
    }

    private mutating func read(_ file: NamedPath) -> [UInt8]? {
        let position = SourcePosition(file: file.shown, line: 1, column: 1)
        switch FileContent.read(file.absolute, bytesMax: YAMLDocument.Limits.bytesMax) {
        case .bytes(let bytes): return bytes
        case .missing where file == self.file:
            findings.add(
                "there is no such file", at: position,
                fix: "try `switchboard demo`, or make one from what a client uses: `switchboard import FILE > gateway.yaml`")
        case .missing: findings.add("there is no such file", at: position, fix: "create it")
        case .notAFile: findings.add("this is not a file", at: position, fix: "name a YAML file")
        case .tooLarge: findings.add("the file is larger than 1 MiB", at: position, fix: "split it up")
        case .unreadable(let reason): findings.add("this cannot be read: \(reason)", at: position, fix: "look at its permissions")
        }
        return nil
    }

    private mutating func section(_ bytes: [UInt8]) -> Section? {
        let document = YAMLDocument(parsing: bytes, file: file.shown)
        findings.add(document.problems)
        guard let root = document.root else {
            if document.isEmpty {
                findings.add(
                    "this file is empty", at: start, fix: "name an upstream: `upstreams: { time: { command: uvx, args: [mcp-server-time] } }`")
            }
            return nil
        }
        return Section(root, "the configuration", Self.keys, &findings)
    }

    private mutating func listen(_ node: YAMLNode?) -> [ListenAddress] {
        guard let node else { return [ListenAddress(host: "127.0.0.1", port: 8_080, position: start)] }
        var addresses: [ListenAddress] = []
        let elements = if case .sequence(let nodes) = node.content { nodes } else { [node] }
        if elements.isEmpty { findings.add("`listen` is empty", at: node.position, fix: "write `listen: 127.0.0.1:8080`") }
        for element in elements {
            // A port alone reads as a number, which quotes would not mend.
            let port = if case .integer(let number) = element.scalar?.kind { number } else { String?.none }
            guard let text = port ?? element.text("listen", &findings),
                let address = findings.value({ () throws(ConfigurationError) in try ListenAddress(parsing: text, at: element.position) })
            else { continue }
            if let first = addresses.first(where: { $0.authority == address.authority && address.port != 0 }) {
                findings.add(
                    "\(address.authority) stands here a second time; the first is at \(first.position)", at: element.position, fix: "keep one of them"
                )
            }
            addresses.append(address)
        }
        return addresses
    }

    private mutating func upstreams(_ section: Section, _ limits: LimitSettings) -> ([UpstreamDefinition], KnownUpstreams) {
        guard let node = section["upstreams"] else {
            guard !section.isMisspelt("upstreams"), !section.has("mcpServers") else { return ([], KnownUpstreams(places: nil)) }
            findings.add("there are no `upstreams`", at: start, fix: "name one: `upstreams: { time: { command: uvx, args: [mcp-server-time] } }`")
            return ([], KnownUpstreams(places: nil))
        }
        guard let entries = node.entries("`upstreams`", &findings) else { return ([], KnownUpstreams(places: nil)) }
        if entries.isEmpty {
            findings.add("`upstreams` is empty", at: node.position, fix: "name one: `time: { command: uvx, args: [mcp-server-time] }`")
        }
        let reader = UpstreamReader(limits: limits, folder: file.folder)
        let definitions = entries.compactMap { reader.read($0, &findings) }
        let places = Dictionary(entries.map { ($0.key, $0.keyPosition) }) { first, _ in first }
        return (definitions, KnownUpstreams(places: places))
    }

    /// Credentials that are made of what callers bring want callers who can bring it.
    private mutating func callerProblems(of upstream: UpstreamDefinition, _ identity: IdentitySettings) -> [Problem] {
        let parts = upstream.credential.parts
        if !identity.isConfigured, parts.contains(where: { if case .authorizationCode = $0 { true } else { false } }) {
            findings.warn(
                "callers over HTTP are anonymous, who can't sign in to \(upstream.name)", at: upstream.position,
                fix: "write `identity`, or use it by `switchboard stdio` only")
        }
        guard identity.issuers.isEmpty, parts.contains(where: { if case .tokenExchange = $0 { true } else { false } }) else { return [] }
        let what = "nobody can have a token to exchange for \(upstream.name): there are no `issuers`"
        return [Problem(what, at: upstream.position, fix: "write `identity: { issuers: [{ issuer: …, audience: … }] }`, or another `grant`")]
    }

    private mutating func virtualServers(_ section: Section, _ upstreams: KnownUpstreams) -> [VirtualServerDefinition] {
        let search = VirtualServerSearch(folder: file.folder, gateway: start)
        let (found, others) = search.files(section["virtual_servers"], &findings)
        files += others + found.map(\.absolute)
        let reader = VirtualServerReader(upstreams: upstreams)
        var definitions: [VirtualServerDefinition] = []
        for file in found {
            guard let bytes = read(file) else { continue }
            if let definition = reader.read(bytes, file: file, &findings) { definitions.append(definition) }
        }
        return definitions.sorted { $0.name < $1.name }
    }

    private mutating func stateFolder(_ node: YAMLNode?) -> String? {
        if let node {
            guard let text = node.text("state", &findings) else { return nil }
            guard text.hasPrefix("~/") else { return file.folder.appending(text).absolute }
            if let home = environment["HOME"], home.hasPrefix("/") { return home + text.dropFirst(1) }
            findings.add("`state` begins with ~, and HOME is not set", at: node.position, fix: "write the whole path")
            return nil
        }
        // A relative path there is to be ignored (XDG Base Directory Specification).
        if let folder = environment["XDG_STATE_HOME"], folder.hasPrefix("/") { return NamedPath(folder, in: "/").appending("switchboard").absolute }
        if let home = environment["HOME"], home.hasPrefix("/") { return NamedPath(home, in: "/").appending(".local/state/switchboard").absolute }
        findings.add("there is no place for state: neither XDG_STATE_HOME nor HOME is set", at: start, fix: "write `state: /var/lib/switchboard`")
        return nil
    }

    private static let keys = Section.Keys(
        known: [
            "listen", "public_url", "tls", "allowed_origins", "identity", "discovery", "policy", "upstreams", "virtual_servers", "state",
            "state_key", "audit", "limits",
        ],
        refused: [
            "roles": ("`roles` stand in the file of a virtual server", "write them there; what nobody may do stands in `policy`"),
            "mcpServers": ("`mcpServers` is what clients read", "turn the file into YAML with `switchboard import FILE`"),
        ])
}
