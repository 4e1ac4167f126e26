import Auth
import Diagnostics

/// Reads `identity:`.
struct IdentityReader {
    /// The folder of gateway.yaml.
    let folder: NamedPath

    /// What it says, what is right of it; `files` gets the keys file, also where that is broken.
    func read(_ node: YAMLNode?, _ files: inout [String], _ findings: inout Findings) -> IdentitySettings {
        guard let node, let section = Section(node, "`identity`", Self.keys, &findings) else { return IdentitySettings() }
        var settings = IdentitySettings(anonymous: section["anonymous"].flatMap { $0.flag("anonymous", &findings) })
        if let name = section["keys_file"]?.text("keys_file", &findings) {
            let file = folder.appending(name)
            files.append(file.absolute)
            settings.keysFile = file.absolute
            settings.keys = KeysReader.read(file, &findings) ?? []
        }
        if let list = section["issuers"] { (settings.issuers, settings.issuerPositions) = issuers(list, &findings) }
        return settings
    }

    private func issuers(_ list: YAMLNode, _ findings: inout Findings) -> ([IssuerSettings], [String: SourcePosition]) {
        guard let elements = list.elements("issuers", &findings) else { return ([], [:]) }
        if elements.isEmpty { findings.add("`issuers` is empty", at: list.position, fix: "name one, or remove it") }
        if elements.count > 32 { findings.add("there are more than 32 issuers", at: list.position, fix: "use fewer") }
        var issuers: [IssuerSettings] = []
        var places: [String: SourcePosition] = [:]
        for element in elements.prefix(32) {
            guard let issuer = IssuerReader.read(element, &findings) else { continue }
            if let first = places.updateValue(element.position, forKey: issuer.issuer) {
                findings.add(
                    "the issuer \(issuer.issuer) stands here a second time; the first is at \(first)", at: element.position,
                    fix: "write one with a list of audiences")
            }
            issuers.append(issuer)
        }
        return (issuers, places)
    }

    private static let literal = (
        what: "API keys do not stand here", fix: "make them with `switchboard key new NAME`, and write `keys_file: keys.yaml`"
    )
    private static let keys = Section.Keys(
        known: ["anonymous", "keys_file", "issuers"],
        refused: [
            "keys": literal, "api_keys": literal, "key": literal, "tokens": literal,
            "issuer": ("`issuer` belongs into the list `issuers`", "write `issuers: [{ issuer: …, audience: … }]`"),
        ])
}

/// `discovery:`, which hosts found by discovery may lie in private networks; in lower case.
func discoveryHosts(_ node: YAMLNode?, _ findings: inout Findings) -> [String] {
    guard let node, let section = Section(node, "`discovery`", .init(known: ["allow_hosts"]), &findings) else { return [] }
    var hosts: [String] = []
    for element in section["allow_hosts"]?.elements("allow_hosts", &findings) ?? [] {
        guard let text = element.text("allow_hosts", &findings) else { continue }
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        if let address = IPAddress.canonicalV6(bare) {
            hosts.append(address)
        } else if WebAddress.isHostName(text) {
            hosts.append(text.lowercased())
        } else {
            findings.add("\(quoted(text)) is no name of a host", at: element.position, fix: "write login.internal.example, without scheme and port")
        }
    }
    return hosts
}
