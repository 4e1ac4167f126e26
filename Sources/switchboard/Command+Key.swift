import Auth
import Configuration
import Diagnostics

extension Command {
    static let key = Command(
        name: "key",
        help: """
            Make, list and revoke the API keys with which programs prove who they are.

            Usage: switchboard key new NAME [--group G]… [--expires DATE] [--config FILE]
                   switchboard key list [--config FILE]
                   switchboard key revoke NAME [--config FILE]

            \(Help.config)
              --group G       a group that the caller is in; may stand there several times
              --expires DATE  2027-01-31 (its first second, UTC), 2027-01-31T18:00:00Z, or 90d from now; default: never

            `new` prints the key on standard output, once: only its hash is kept, in the `keys_file` of the configuration. Its holder
            is `client:NAME`. A name may have several keys at a time, so that a new one can be handed out before the old one
            goes; `revoke` ends all keys of a name. A running gateway follows within a second, and ends the streams of a revoked key.
            """
    ) { (arguments) throws(UsageError) in
        let words = try Words(arguments, of: "key", values: ["--config", "--expires"], many: ["--group"])
        guard let verb = words.rest.first else { throw UsageError("new, list or revoke is missing", hint: "`switchboard key --help` shows how") }
        guard verb == "new" || words["--expires"] == nil && words.all("--group").isEmpty else {
            throw UsageError("--group and --expires are for `switchboard key new`")
        }
        switch verb {
        case "new":
            try words.expect(rest: 2...2, "the name of who will hold the key")
            let order = try Order(words)
            return withFile(words) { (file) throws(KeysFileError) in try make(order, in: file) }
        case "list":
            try words.expect(rest: 1...1, "")
            return withFile(words) { (file) throws(KeysFileError) in list(try file.read()) }
        case "revoke":
            try words.expect(rest: 2...2, "the name whose keys to revoke")
            return withFile(words) { (file) throws(KeysFileError) in try revoke(words.rest[1], in: file) }
        default:
            let near = suggestion(for: verb, among: ["new", "list", "revoke"])
            throw UsageError("there is no `switchboard key \(verb)`", hint: near.map { "Did you mean \($0)?" } ?? "There are new, list and revoke.")
        }
    }

    /// What `key new` was asked for.
    private struct Order {
        let name: String
        let groups: [String]
        let expires: Int?

        init(_ words: Words) throws(UsageError) {
            name = words.rest[1]
            groups = words.all("--group")
            for word in [name] + groups where !KeyName.isFit(word) {
                throw UsageError("“\(word)” can't be a name", hint: KeyName.rule)
            }
            guard let text = words["--expires"] else {
                expires = nil
                return
            }
            guard let time = Self.time(text) else {
                throw UsageError("--expires \(text) is no date", hint: "write 2027-01-31, 2027-01-31T18:00:00Z or 90d")
            }
            guard time > Timestamp.now.seconds else { throw UsageError("--expires \(text) has passed", hint: "name a day that is still to come") }
            expires = time
        }

        private static func time(_ text: String) -> Int? {
            if text.hasSuffix("d"), let days = Int(text.dropLast()), (1...36_500).contains(days) { return Timestamp.now.seconds + days * 86_400 }
            return Timestamp(text)?.seconds
        }
    }

    private static func make(_ order: Order, in file: KeysFile) throws(KeysFileError) -> Int32 {
        guard let text = try? APIKeyText(),
            let key = try? APIKey(text, name: order.name, groups: order.groups, created: Timestamp.now.seconds, expires: order.expires)
        else {
            printError("OpenSSL has no randomness now")
            return 1
        }
        try file.change { (keys) throws(KeysFileError) in keys.append(key) }
        print(text.text.reveal())
        let end = order.expires.map { " until \(Timestamp(seconds: $0))" } ?? ""
        printError("This is the key of client:\(order.name)\(end). It is not shown again; \(file.shown) has only its hash.")
        printError("Send it as `Authorization: Bearer …` or `X-API-Key: …`. To end it: switchboard key revoke \(order.name)")
        if !file.isConfigured {
            printError("The configuration does not use keys yet. Write into it:\n\nidentity:\n  keys_file: keys.yaml\n")
        }
        return 0
    }

    private static func list(_ keys: [APIKey]) -> Int32 {
        guard !keys.isEmpty else {
            printError("there are no keys")
            return 0
        }
        let now = Timestamp.now.seconds
        let rows =
            [["NAME", "ID", "CREATED", "EXPIRES", "GROUPS"]]
            + keys.sorted { ($0.name, $0.created) < ($1.name, $1.created) }.map { key in
                let expires = key.expires.map { "\(Timestamp(seconds: $0))\(key.isValid(at: now) ? "" : " (expired)")" } ?? "never"
                return [
                    key.name, key.id, "\(Timestamp(seconds: key.created))", expires, key.groups.isEmpty ? "-" : key.groups.joined(separator: ","),
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            print(line)
        }
        return 0
    }

    private static func revoke(_ name: String, in file: KeysFile) throws(KeysFileError) -> Int32 {
        let outcome = try file.change { (keys) throws(KeysFileError) -> (count: Int, names: [String]) in
            let before = keys.count
            let names = keys.map(\.name)
            keys.removeAll { $0.name == name }
            return (before - keys.count, names)
        }
        guard outcome.count > 0 else {
            let near = suggestion(for: name, among: outcome.names).map { "; did you mean “\($0)”?" } ?? ""
            printError("nobody called “\(name)” has a key\(near)")
            return 1
        }
        printError("revoked \(count(outcome.count, "key")) of client:\(name)")
        return 0
    }

    private static func withFile(_ words: Words, _ work: (KeysFile) throws(KeysFileError) -> Int32) -> Int32 {
        do throws(KeysFileError) {
            return try work(try KeysFile(ofConfiguration: words["--config"] ?? Configured.defaultPath))
        } catch {
            for problem in error.problems { printError(problem.description) }
            return 1
        }
    }
}
