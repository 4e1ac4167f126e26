import Auth
import Diagnostics

/// Reads the keys file.
enum KeysReader {
    private static let countMax = 10_000
    private static let bytesMax = YAMLDocument.Limits.bytesMax

    /// The keys; nil where something is wrong, and it is noted. No file is no keys, and a warning.
    static func read(_ file: NamedPath, _ findings: inout Findings) -> [APIKey]? {
        let start = SourcePosition(file: file.shown, line: 1, column: 1)
        switch FileContent.read(file.absolute, bytesMax: bytesMax) {
        case .bytes(let bytes):
            if FileContent.isWritableByAll(file.absolute) {
                findings.add("every user of this machine may write keys into this file", at: start, fix: "chmod o-w \(file.shown)")
                return nil
            }
            return keys(bytes, file, &findings)
        case .missing:
            findings.warn("there is no such file, so there are no API keys", at: start, fix: "make one with `switchboard key new NAME`")
            return []
        case .notAFile: findings.add("this is not a file", at: start, fix: "name a file that `switchboard key` may write")
        case .tooLarge: findings.add("the file is larger than 1 MiB", at: start, fix: "revoke what is no longer used")
        case .unreadable(let reason): findings.add("this cannot be read: \(reason)", at: start, fix: "look at its permissions")
        }
        return nil
    }

    private static func keys(_ bytes: [UInt8], _ file: NamedPath, _ findings: inout Findings) -> [APIKey]? {
        let before = findings.problems.count
        let document = YAMLDocument(parsing: bytes, file: file.shown)
        findings.add(document.problems)
        guard let root = document.root else { return findings.problems.count == before ? [] : nil }
        guard let section = Section(root, "the keys file", .init(known: ["keys"]), &findings) else { return nil }
        guard let list = section["keys"], let elements = list.elements("keys", &findings) else {
            if findings.problems.count == before { findings.add("the keys file has no `keys`", at: root.position, fix: "write `keys: []`") }
            return nil
        }
        if elements.count > countMax { findings.add("there are more than \(countMax) keys", at: list.position, fix: "revoke what is no longer used") }
        var keys: [APIKey] = []
        var places: [String: SourcePosition] = [:]
        for element in elements.prefix(countMax) {
            guard let key = key(element, &findings) else { continue }
            if let first = places.updateValue(element.position, forKey: key.id) {
                findings.add("the key \(key.id) stands here a second time; the first is at \(first)", at: element.position, fix: "remove one")
            }
            keys.append(key)
        }
        return findings.problems.count == before ? keys : nil
    }

    private static func key(_ node: YAMLNode, _ findings: inout Findings) -> APIKey? {
        let known = ["id", "name", "groups", "created", "expires", "hash"]
        let refused = Dictionary(
            uniqueKeysWithValues: ["key", "secret", "token"].map {
                ($0, (what: "`\($0)` would hold a key as it is", fix: "remove it and make a new one with `switchboard key new NAME`"))
            })
        guard let section = Section(node, "a key", .init(known: known, refused: refused), &findings), !section.hasRefusedKeys else { return nil }
        let before = findings.problems.count
        for name in ["id", "name", "created", "hash"] where section[name] == nil {
            findings.add("a key has no `\(name)`", at: section.position, fix: "make a new one with `switchboard key new NAME`")
        }
        let id = section["id"].flatMap { $0.text("id", &findings) } ?? ""
        let name = section["name"].flatMap { $0.text("name", &findings) } ?? ""
        let groups = section["groups"].flatMap { $0.elements("groups", &findings) }?.compactMap { $0.text("groups", &findings) } ?? []
        let created = section["created"].flatMap { time($0, "created", &findings) } ?? 0
        let expires = section["expires"].flatMap { time($0, "expires", &findings) }
        let hash = section["hash"].flatMap { saltAndHash($0, &findings) }
        for (value, key) in [(name, "name")] + groups.map({ ($0, "groups") }) where findings.problems.count == before && !KeyName.isFit(value) {
            findings.add("\(quoted(value)) is no name of a client or group", at: section.position(of: key), fix: KeyName.rule)
        }
        guard findings.problems.count == before, let hash else { return nil }
        return APIKey(id: id, name: name, groups: groups, created: created, expires: expires, salt: hash.salt, hash: hash.hash)
    }

    private static func time(_ node: YAMLNode, _ name: String, _ findings: inout Findings) -> Int? {
        guard let text = node.word(name, &findings) else { return nil }
        if let time = Timestamp(text) { return time.seconds }
        findings.add("`\(name)` must be a time, not \(quoted(text))", at: node.position, fix: "write 2027-01-31 or 2027-01-31T18:00:00Z")
        return nil
    }

    /// `sha256:SALT:HASH`, in hex.
    private static func saltAndHash(_ node: YAMLNode, _ findings: inout Findings) -> (salt: [UInt8], hash: [UInt8])? {
        guard let text = node.text("hash", &findings) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 3, parts[0] == "sha256", let salt = bytes(parts[1]), let hash = bytes(parts[2]), salt.count == APIKey.saltLength,
            hash.count == SHA256Digest.length
        {
            return (salt, hash)
        }
        findings.add("`hash` is damaged", at: node.position, fix: "revoke the key and make a new one with `switchboard key new NAME`")
        return nil
    }

    private static func bytes(_ hex: Substring) -> [UInt8]? {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == hex.utf8.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// What the holder of a key, or a group, may be called.
package enum KeyName {
    /// Letters, digits and `._@/+-`, at most 64: what needs no quotes anywhere.
    package static func isFit(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { isWordByte($0) || ".@/+-".utf8.contains($0) }
    }

    package static let rule = "use letters, digits and . _ @ / + - only, at most 64"
}
