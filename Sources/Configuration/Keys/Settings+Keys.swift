import Auth

extension Settings {
    /// The keys file as it is now, blocking; nil where it is broken or none is named.
    package func currentKeys() -> [APIKey]? {
        guard let path = identity.keysFile else { return nil }
        var findings = Findings()
        return KeysReader.read(NamedPath(path, in: "/"), &findings)
    }
}
