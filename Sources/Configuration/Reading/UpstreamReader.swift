import Auth
import Diagnostics
import Transport

/// Reads one entry of `upstreams:`.
struct UpstreamReader {
    let limits: LimitSettings
    /// The folder of gateway.yaml.
    let folder: NamedPath

    /// The definition; nil where something is wrong, and it is noted.
    func read(_ entry: YAMLNode.Entry, _ findings: inout Findings) -> UpstreamDefinition? {
        guard Self.isName(entry.key) else {
            findings.add(
                "\(quoted(entry.key)) is no name for an upstream", at: entry.keyPosition,
                fix: "use 1 to 32 of a-z, 0-9, - and _, e.g. \"\(Self.fitting(entry.key))\"")
            return nil
        }
        guard let section = Section(entry.value, "the upstream \"\(entry.key)\"", Self.keys, &findings) else { return nil }
        let before = findings.problems.count
        let endpoint = endpoint(entry, section, &findings)
        let era = section["era"].flatMap {
            $0.choice("era", ["auto": UpstreamDefinition.Era.automatic, "legacy": .legacy, "modern": .modern], &findings)
        }
        let timeout = timeout(section, &findings)
        let instances = section["instances"].flatMap {
            $0.choice(
                "instances", ["shared": UpstreamDefinition.Instances.shared, "per-user": .perUser, "per-session": .perSession], &findings)
        }
        let credential = credential(entry.key, section, endpoint, &findings)
        let catalog = section["catalog"].flatMap {
            $0.choice("catalog", ["per-credential": UpstreamDefinition.Catalog.perCredential, "shared": .shared], &findings)
        }
        guard let endpoint, findings.problems.count == before, !section.hasRefusedKeys else { return nil }
        return UpstreamDefinition(
            name: entry.key, endpoint: endpoint, era: era ?? .automatic, credential: credential ?? .none, catalog: catalog ?? .perCredential,
            instances: instances ?? .shared, timeout: timeout, position: entry.keyPosition)
    }

    private func endpoint(_ entry: YAMLNode.Entry, _ section: Section, _ findings: inout Findings) -> UpstreamDefinition.Endpoint? {
        switch (section["command"], section["url"]) {
        case (nil, nil):
            let isTold = section.hasRefusedKeys && section.has("type") || section.isMisspelt("command") || section.isMisspelt("url")
            if !isTold {
                findings.add(
                    "the upstream \"\(entry.key)\" has neither `command` nor `url`", at: entry.keyPosition,
                    fix: "write `command: PROGRAM` or `url: https://…`")
            }
            return nil
        case (.some, .some):
            findings.add(
                "the upstream \"\(entry.key)\" has both `command` and `url`", at: section.position(of: "url"), fix: "keep one of them")
            return nil
        case (let command?, nil):
            refuse(["transport", "catalog"], of: section, because: "belongs to an upstream with `url`", &findings)
            return CommandReader(folder: folder).read(command, section, &findings)
        case (nil, let url?):
            refuse(["args", "env", "cwd"], of: section, because: "belongs to an upstream with `command`", &findings)
            let transport = section["transport"].flatMap {
                $0.choice("transport", ["streamable-http": UpstreamDefinition.HTTPTransport.streamableHTTP, "sse": .sse], &findings)
            }
            return upstreamURL(url, &findings).map { .url($0, transport ?? .automatic) }
        }
    }

    private func refuse(_ keys: [String], of section: Section, because reason: String, _ findings: inout Findings) {
        for key in keys where section[key] != nil {
            findings.add("`\(key)` \(reason)", at: section.position(of: key), fix: "remove it")
        }
    }

    private func timeout(_ section: Section, _ findings: inout Findings) -> Duration {
        guard let node = section["timeout"],
            let time = node.time("timeout", .milliseconds(10) ... .seconds(86_400), &findings)
        else { return limits.callTime }
        if time > limits.callTimeWithProgress {
            findings.add(
                "`timeout` is longer than `call_time_with_progress` (\(spelled(limits.callTimeWithProgress)))", at: node.position,
                fix: "make it shorter, or raise the limit under `limits`")
        }
        return time
    }

    private func credential(
        _ name: String, _ section: Section, _ endpoint: UpstreamDefinition.Endpoint?, _ findings: inout Findings
    ) -> CredentialDefinition? {
        guard let node = section["credential"] else { return nil }
        let reader = CredentialReader(references: SecretReferenceReader(folder: folder), upstream: name)
        guard let credential = reader.read(node, &findings), credential != .none else { return nil }
        switch endpoint {
        case .command:
            findings.add(
                "`credential` is for an upstream with `url`; a program gets its secrets from `env`", at: node.position, fix: "move it to `env`")
        case .url(let url, _) where !url.isTLS && !IPAddress.isLoopback(url.host):
            findings.add(
                "the credential would travel in clear text to \(url.host)", at: section.position(of: "url"),
                fix: "use https:// or remove the credential")
        default: break
        }
        return credential
    }

    /// `[a-z0-9_-]{1,32}`.
    static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { isWordByte($0) && $0 | 0x20 == $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// The text made to fit the rule.
    static func fitting(_ text: String) -> String {
        var result = ""
        for scalar in text.lowercased().unicodeScalars {
            let fits = scalar.isASCII && isName(String(scalar))
            if fits { result.unicodeScalars.append(scalar) } else if !result.isEmpty && !result.hasSuffix("-") { result += "-" }
        }
        result = String(result.prefix(32))
        while result.hasSuffix("-") { result.removeLast() }
        return result.isEmpty ? "upstream" : result
    }

    private static let keys = Section.Keys(
        known: ["url", "transport", "era", "credential", "catalog", "command", "args", "env", "cwd", "instances", "timeout"],
        refused: [
            "headers": ("`headers` stands outside `credential`", "write credential: { headers: { Name: \"${env:NAME}\" } }"),
            "type": ("an upstream has no `type`", "write `url` or `command`, and with `url` perhaps `transport: sse`"),
            "disabled": ("an upstream has no `disabled`", "remove it, or turn the whole entry into comments"),
        ])
}
