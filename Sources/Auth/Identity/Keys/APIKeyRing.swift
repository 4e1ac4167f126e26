/// The keys in force, by id.
struct APIKeyRing: Sendable {
    private let keys: [String: APIKey]

    init(_ keys: [APIKey]) {
        self.keys = Dictionary(keys.map { ($0.id, $0) }) { first, _ in first }
    }

    /// Who holds the key that `text` is.
    func caller(presenting text: String, at now: Int) throws(IdentityRefusal) -> Caller {
        guard let presented = APIKeyText(text) else { throw .invalid("an API key that is mistyped or cut off") }
        guard let key = keys[presented.id], key.matches(presented) else { throw .invalid("an unknown or revoked API key, id \(presented.id)") }
        guard key.isValid(at: now) else { throw .invalid("the API key \(key.id) of \(key.name) has expired") }
        return Caller(.key(id: key.id), client: key.name, groups: Set(key.groups.map { GroupName($0) }))
    }

    /// Whether the key with which `caller` came is still there, and still theirs.
    func isStillGood(_ caller: Caller, id: String, at now: Int) -> Bool {
        guard let key = keys[id] else { return false }
        return key.isValid(at: now) && key.name == caller.client && Set(key.groups.map { GroupName($0) }) == caller.groups
    }
}
