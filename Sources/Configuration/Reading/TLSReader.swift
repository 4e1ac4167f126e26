import Diagnostics
import Network

/// Reads `tls:` and looks whether its files can be used.
struct TLSReader {
    /// Where relative paths start.
    let folder: NamedPath
    /// Seconds since 1970.
    let now: Int

    /// How long before its end a certificate is worth a warning.
    private static let noticeDays = 14
    private static let bytesMax = 1 << 20

    func read(_ node: YAMLNode, _ findings: inout Findings) -> TLSSettings? {
        guard let section = Section(node, "`tls`", .init(known: ["certificate", "private_key", "client_ca"]), &findings) else { return nil }
        let example = "write `tls: { certificate: server.pem, private_key: server.key }`"
        for key in ["certificate", "private_key"] where section[key] == nil {
            findings.add("`tls` lacks `\(key)`", at: node.position, fix: example)
        }
        let certificate = section["certificate"].flatMap { file($0, "certificate", &findings) }
        let key = section["private_key"].flatMap { file($0, "private_key", &findings) }
        let authorities = section["client_ca"].flatMap { file($0, "client_ca", &findings) }
        var isFit = certificate != nil && key != nil && (authorities != nil || section["client_ca"] == nil)
        if let certificate, let place = section["certificate"] {
            let isRead = check(place, "certificate", certificate, "a certificate", &findings) { () throws(NetworkError) in
                try TLSFile.expiry(ofCertificate: certificate.absolute)
            }
            if isRead, let key, let place = section["private_key"] { check(place, key, for: certificate, &findings) }
            isFit = isFit && isRead
        }
        if let authorities, let place = section["client_ca"] {
            let isRead = check(place, "client_ca", authorities, "certificate authorities", &findings) { () throws(NetworkError) in
                try TLSFile.expiry(ofAuthorities: authorities.absolute)
            }
            isFit = isFit && isRead
        }
        guard isFit, let certificate, let key else { return nil }
        return TLSSettings(
            certificate: certificate.absolute, privateKey: key.absolute, clientCA: authorities?.absolute, position: node.position)
    }

    /// The file that a key names; nil, and the problem noted, where it can't be read.
    private func file(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> NamedPath? {
        guard let text = node.text(name, &findings) else { return nil }
        if text.hasPrefix("-----BEGIN") {
            findings.add("`\(name)` holds the PEM itself", at: node.position, fix: "put it into a file and write its path")
            return nil
        }
        if text.contains("${") {
            findings.add("`\(name)` holds a reference", at: node.position, fix: "write the path of a PEM file")
            return nil
        }
        let path = folder.appending(text)
        switch FileContent.read(path.absolute, bytesMax: Self.bytesMax) {
        case .bytes: return path
        case .missing: findings.add("there is no file \(path.shown)", at: node.position, fix: "create it, or mend the path")
        case .notAFile: findings.add("\(path.shown) is not a file", at: node.position, fix: "name a PEM file")
        case .tooLarge: findings.add("\(path.shown) is larger than 1 MiB", at: node.position, fix: "name a PEM file")
        case .unreadable(let reason):
            findings.add("\(path.shown) cannot be read: \(reason)", at: node.position, fix: "look at its permissions")
        }
        return nil
    }

    /// Whether the file holds what it should; warns when that ends soon.
    private func check(
        _ node: YAMLNode, _ name: String, _ path: NamedPath, _ what: String, _ findings: inout Findings,
        expiry: () throws(NetworkError) -> Int
    ) -> Bool {
        do throws(NetworkError) {
            let left = try expiry() - now
            if left <= 0 {
                findings.warn("\(path.shown) has expired", at: node.position, fix: "renew it: clients will refuse it")
            } else if left <= Self.noticeDays * 86_400 {
                let days = left / 86_400
                let time = days == 0 ? "less than a day" : "\(days) day\(days == 1 ? "" : "s")"
                findings.warn("\(path.shown) expires in \(time)", at: node.position, fix: "renew it; the new file is taken without a restart")
            }
            return true
        } catch {
            findings.add(
                "\(path.shown) holds no \(what.replacingPrefix("a ")): \(error.text)", at: node.position, fix: "name a PEM file with \(what)")
            return false
        }
    }

    private func check(_ node: YAMLNode, _ key: NamedPath, for certificate: NamedPath, _ findings: inout Findings) {
        do throws(NetworkError) {
            guard try !TLSFile.isKey(key.absolute, for: certificate.absolute) else { return }
            findings.add(
                "\(key.shown) is not the key of \(certificate.shown)", at: node.position, fix: "name the key that the certificate was made for")
        } catch {
            findings.add(
                "\(key.shown) holds no key that can be read: \(error.text)", at: node.position, fix: "name a PEM file with a key without a passphrase"
            )
        }
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
