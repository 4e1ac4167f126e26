/// Whether something looks like a secret that someone wrote down: by its name, or by its own look.
package enum SecretLook {
    /// `GITHUB_TOKEN`, `X-Api-Key`, `Authorization`, `db_password`; not `MAX_TOKENS`, `KEYBOARD` or `TOKEN_FILE`.
    package static func isSecretName(_ name: String) -> Bool {
        let words = words(of: name)
        guard let last = words.last, !elsewhere.contains(last) else { return false }
        return words.contains(where: telling.contains)
    }

    /// Whether a member of a tool's arguments holds a secret. A plain `key` is what is looked up, an issue's say, unless it looks like a secret.
    package static func isSecretMember(_ name: String, _ value: String?) -> Bool {
        name.lowercased() == "key" ? value.map(isRandom) ?? false : isSecretName(name)
    }

    /// Which of a program's arguments hold a secret as it is: `--api-key=…`, `--token …`, `NAME_TOKEN=…`, `Authorization: …`.
    static func secretArguments(_ arguments: [String]) -> Set<Int> {
        var found: Set<Int> = []
        var isAfterSecretFlag = false
        for (index, argument) in arguments.enumerated() {
            let isFlag = argument.hasPrefix("-")
            let end = argument.firstIndex { $0 == "=" || $0 == ":" } ?? argument.endIndex
            let isSecretFlag = isFlag && endsInSecretWord(String(argument[..<end]))
            if isSecretValue(argument) || isAfterSecretFlag && !isFlag && isLiteral(argument) { found.insert(index) }
            if end < argument.endIndex {
                let value = String(argument[argument.index(after: end)...]).trimmingSpaces()
                if isSecretValue(value) && isLiteral(value) { found.insert(index) }
                if endsInSecretWord(String(argument[..<end])) && isLiteral(value) { found.insert(index) }
            }
            isAfterSecretFlag = isSecretFlag && end == argument.endIndex
        }
        return found
    }

    /// Whether something stands there besides references and the name of a scheme.
    private static func isLiteral(_ value: String) -> Bool {
        var rest = value[...]
        for scheme in ["Bearer ", "Basic ", "bearer ", "basic "] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        while rest.hasPrefix("${"), let end = rest.firstIndex(of: "}") { rest = rest[rest.index(after: end)...] }
        return !isHarmless(String(rest))
    }

    private static func endsInSecretWord(_ name: String) -> Bool {
        words(of: name).last.map(telling.contains) ?? false
    }

    private static let telling: Set = [
        "token", "secret", "password", "passwd", "passphrase", "pwd", "authorization", "apikey", "cookie", "credential", "pat", "jwt", "bearer",
        "key",
        "accesstoken", "authtoken", "clientsecret", "accesskey", "secretkey", "privatekey",
    ]

    /// A name that ends so says where a secret is, or what it is for.
    private static let elsewhere: Set = ["file", "path", "dir", "url", "uri", "name", "id", "type", "header"]

    /// `Bearer …`, `ghp_…`, `sk-…`, a URL with a password, and other well-known shapes.
    package static func isSecretValue(_ value: String) -> Bool {
        let lower = value.lowercased()
        if lower.hasPrefix("bearer ") || lower.hasPrefix("basic ") { return true }
        let prefixes = [
            "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_", "sk_test_", "xoxb-", "xoxp-", "xoxa-", "xapp-",
            "AKIA", "AIza",
            "eyJ", "npm_", "pypi-", "hf_", "dop_v1_", "ntn_", "secret_", "-----BEGIN",
        ]
        if value.utf8.count >= 12, prefixes.contains(where: value.hasPrefix) { return true }
        guard let scheme = value.firstRange(of: "://") else { return false }
        let authority = value[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return false }
        return authority[..<at].contains(":")
    }

    /// A long run of letters and digits mixed, as keys are.
    static func isRandom(_ value: String) -> Bool {
        let bytes = value.utf8
        return bytes.count >= 20 && bytes.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "=") }
            && bytes.contains(where: isLetter) && bytes.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// A long run of letters and digits without a break, or a UUID: likely a key, though perhaps an id.
    static func isDense(_ value: String) -> Bool {
        let parts = value.split(separator: "-", omittingEmptySubsequences: false)
        let isHex = value.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") }
        if isHex && parts.map(\.count) == [8, 4, 4, 4, 12] { return true }
        return value.utf8.count >= 24 && !value.contains("-") && isRandom(value)
    }

    /// Values that no one keeps secret, whatever their name: nothing, truth values and short numbers.
    static func isHarmless(_ value: String) -> Bool {
        value.isEmpty || ["true", "false"].contains(value.lowercased()) || value.utf8.count <= 3 && Int(value) != nil
    }

    /// The parts of a name in snake, kebab or camel case, in lower case.
    private static func words(of name: String) -> [String] {
        var words: [String] = [""]
        var wasLower = false
        for character in name {
            guard character.isLetter || character.isNumber else {
                words.append("")
                wasLower = false
                continue
            }
            if character.isUppercase && wasLower { words.append("") }
            wasLower = character.isLowercase
            words[words.count - 1] += character.lowercased()
        }
        return words.filter { !$0.isEmpty }
    }
}
